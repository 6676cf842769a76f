"""R64 and REF: the five planes of a referenced lifetime image, to the bit."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import lfdfiles
import numpy as np
import pytest

from cid_server_ext.storage.readers import open_images

NAMES = [
    "Intensity (DC)",
    "Phase of harmonic 1 (degrees)",
    "Modulation of harmonic 1",
    "Phase of harmonic 2 (degrees)",
    "Modulation of harmonic 2",
]
PIXELS = np.random.default_rng(2).normal(size=(5, 32, 32)).astype("<f4")
PIXELS[1, 3, 4] = np.nan


def test_a_real_r64_is_what_its_writers_library_reads(real: Path) -> None:
    path = real / "formats/flim/simfcs_4dyes.R64"
    (image,) = open_images(path)
    assert (image.axes, image.shape, image.dtype) == ("cyx", (5, 256, 256), np.float32)
    with lfdfiles.SimfcsR64(path) as file:
        assert np.array_equal(image.array.compute(), file.asarray(), equal_nan=True)
    assert [one["name"] for one in image.channels] == NAMES
    assert {key: text for key, text, _ in image.tags} == {"Acquisition software": "SimFCS"}
    assert len(image.unknown) == 7


@pytest.mark.parametrize("kind", ["r64", "ref"])
def test_values_and_gaps_are_kept(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    data = PIXELS.tobytes()
    path.write_bytes(zlib.compress(struct.pack("<i", 32) + data) if kind == "r64" else data)
    (image,) = open_images(path)
    assert np.array_equal(image.array.compute(), PIXELS, equal_nan=True)


@pytest.mark.parametrize("tenths", range(10))
def test_an_r64_cut_anywhere_is_refused(real: Path, tmp_path: Path, tenths: int, refused) -> None:
    data = (real / "formats/flim/simfcs_4dyes.R64").read_bytes()
    path = tmp_path / "a.r64"
    path.write_bytes(data[: len(data) * tenths // 10 + 3])
    refused(path)


def test_a_flipped_bit_is_found(real: Path, tmp_path: Path, refused) -> None:
    data = bytearray((real / "formats/flim/simfcs_4dyes.R64").read_bytes())
    data[len(data) // 2] ^= 1
    path = tmp_path / "a.r64"
    path.write_bytes(data)
    assert "damaged" in refused(path)


def test_a_bomb_gives_no_more_than_its_square(tmp_path: Path, refused) -> None:
    path = tmp_path / "a.r64"
    path.write_bytes(zlib.compress(struct.pack("<i", 32) + bytes(300 << 20)))
    assert "damaged" in refused(path)
