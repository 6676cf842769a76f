"""PNG and JPEG of every mode; what claims too much is not decoded."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

RANDOM = np.random.default_rng(7)


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "LA", "P", "RGB", "RGBA"])
def test_png_of_every_mode(tmp_path: Path, mode: str, only) -> None:
    grey = RANDOM.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(RANDOM.integers(0, 65535, (20, 30), dtype=np.uint16))
    else:
        picture = Image.fromarray(grey).convert(mode)
    picture.save(tmp_path / "x.png")
    image = only(tmp_path / "x.png")
    colour = mode in {"P", "RGB", "RGBA"}
    assert image.axes == (
        "cyx" if colour else "yx"
    )  # an alpha that is opaque all over says nothing
    assert image.dtype == (np.uint16 if mode == "I;16" else np.uint8)
    if mode in {"L", "I;16"}:
        assert (image.array.compute() == np.asarray(picture)).all()


def test_an_alpha_that_says_something_is_kept(tmp_path: Path, only) -> None:
    Image.fromarray(RANDOM.integers(0, 255, (20, 30, 4), dtype=np.uint8)).save(tmp_path / "x.png")
    assert [c["name"] for c in only(tmp_path / "x.png").channels] == [
        "Red",
        "Green",
        "Blue",
        "Alpha",
    ]


def test_a_picture_that_claims_too_much_is_not_decoded(tmp_path: Path, refused) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "x.png")
    data = bytearray((tmp_path / "x.png").read_bytes())
    data[16:24] = struct.pack(">II", 100_000, 100_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "x.png").write_bytes(data)
    assert "pixels" in refused(tmp_path / "x.png")
