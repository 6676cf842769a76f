"""Lazy pixels: any slice is what the whole has there, read window by window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cid_server_ext.errors import BadFile
from cid_server_ext.storage.readers import lazy as module
from cid_server_ext.storage.readers.lazy import Strides, latest, lazy

PIXELS = np.random.default_rng(1).integers(0, 60000, (3, 2, 30, 41), dtype=np.uint16)


def read(index, rows, columns):
    return PIXELS[index][rows, columns]


PLACES = [
    np.s_[:],
    np.s_[1],
    np.s_[1:, 0, 5:9, 7],
    np.s_[::2, ::-1, 3::4, 40:2:-5],
    np.s_[0, 1, 29, 40],
    np.s_[0:0],
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("piece", [100, 1 << 20])
def test_a_slice_is_what_the_whole_has_there(monkeypatch, place, piece: int) -> None:
    monkeypatch.setattr(module, "PIECE", piece)
    monkeypatch.setattr(module, "SIDE", 16)
    array = lazy(PIXELS.shape, PIXELS.dtype, read)
    assert (array.chunksize == (1, 1, 16, 16)) == (piece == 100)
    assert np.array_equal(array[place].compute(), PIXELS[place])


def test_no_plane_is_read_that_was_not_asked_for() -> None:
    asked: list[tuple[int, ...]] = []

    def noted(index, rows, columns):
        asked.append(index)
        return read(index, rows, columns)

    lazy(PIXELS.shape, PIXELS.dtype, noted)[2, 1, 4:6].compute()
    assert asked == [(2, 1)]


def test_samples_that_are_decoded_together_are_decoded_once() -> None:
    decoded: list[int] = []

    @latest
    def frame(number: int) -> np.ndarray:
        decoded.append(number)
        return PIXELS[number]

    array = lazy(
        PIXELS.shape,
        PIXELS.dtype,
        lambda index, rows, columns: frame(index[0])[index[1]][rows, columns],
        together=(1, 2),
    )
    assert (array.compute(scheduler="synchronous") == PIXELS).all()
    assert sorted(decoded) == [0, 1, 2]


def test_a_claim_of_endless_planes_is_refused() -> None:
    with pytest.raises(BadFile, match="planes"):
        lazy((1 << 30, 4, 4), "uint8", read)


def test_raw_pixels_past_the_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.write_bytes(PIXELS.tobytes())
    strides = Strides(path)
    rows, columns = slice(2, 5), slice(1, 9, 2)
    found = strides.window(PIXELS.strides[0], (82, 2), PIXELS.dtype, rows, columns)
    assert (found == PIXELS[1, 0, rows, columns]).all()
    with pytest.raises(BadFile, match="truncated"):
        strides.window(PIXELS.nbytes - 100, (82, 2), PIXELS.dtype, rows, columns)
    with pytest.raises(BadFile, match="truncated"):
        strides.window(-5000, (82, 2), PIXELS.dtype, rows, columns)
