"""What is on disk is compared with what the reader gave, bit for bit, block by block."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore as ts

from cid_server_ext.errors import BadFile
from cid_server_ext.storage import omezarr, stores
from cid_server_ext.storage.proof import same


class Flipping:
    """Stores one wrong bit in each block that is written."""

    def __init__(self, array: ts.TensorStore) -> None:
        self.array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, place: object) -> Flipping:
        return Flipping(self.array[place])

    def read(self, **how: Any) -> Any:
        return self.array.read(**how)

    def write(self, pixels: np.ndarray[Any, Any], **how: Any) -> Any:
        wrong = pixels.copy()
        wrong[..., -1, -1] ^= 1
        return self.array.write(wrong, **how)


def test_a_bit_that_was_stored_wrongly_is_noticed_while_it_is_written(
    make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = np.arange(3 * 40 * 50, dtype=np.uint16).reshape(3, 40, 50)
    omezarr.write(make(image, "zyx"), tmp_path / "good", prove=True)
    create = stores.create_level
    monkeypatch.setattr(stores, "create_level", lambda *how: Flipping(create(*how)))
    with pytest.raises(BadFile, match="differs from the file near z=0, y=0, x=0"):
        omezarr.write(make(image, "zyx"), tmp_path / "bad", prove=True)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("width", [7, 8])
def test_pixels_are_compared_bit_by_bit(dtype: str, width: int) -> None:
    one = np.full((3, 2 * width), 2, dtype)[:, ::2]
    assert same(one, one.copy())
    other = one.copy()
    other[2, width - 1] += 1
    assert not same(one, other)
    if one.dtype.kind == "f":
        one[0, 0], other = np.nan, one.copy()
        other[0, 0] = np.nan
        assert same(one, other)
        one[0, 0], other[0, 0] = 0.0, -0.0
        assert not same(one, other)
