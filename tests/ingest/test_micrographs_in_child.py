"""MRC, DeltaVision and Imaris through the limited child: written, proved, and refused in time."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import imsfile
import mrc
import mrcfile
import numpy as np
import pytest
import zarr

from cid_server_ext.errors import BadFile
from cid_server_ext.ingest.convert import convert
from cid_server_ext.ingest.limits import Limits

RANDOM = np.random.default_rng(14)
LIMITS = Limits(memory=3 << 29, planning_seconds=20, wall_seconds=30)
PIXELS = RANDOM.integers(0, 999, (6, 90, 70)).astype(np.uint16)


def as_mrc(path: Path) -> Path:
    with mrcfile.new(path) as file:
        file.set_data(PIXELS)
    return path


def as_dv(path: Path) -> Path:
    mrc.save(PIXELS, str(path), metadata={"dxy": 0.1})
    return path


def as_ims(path: Path) -> Path:
    return imsfile.write(path, PIXELS[None, None])


@pytest.mark.parametrize("write", [as_mrc, as_dv, as_ims])
def test_each_is_written_as_it_is(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    (image,) = convert(write(tmp_path / "noname"), tmp_path / "out", limits=LIMITS)
    assert (image.axes, image.shape) == ("zyx", (6, 90, 70))
    kept = zarr.open_array(image.folder / "image.ome.zarr" / "0", mode="r")
    assert (np.asarray(kept[:]) == PIXELS).all()


@pytest.mark.parametrize("write", [as_mrc, as_dv, as_ims])
def test_half_of_one_ends_in_a_reason(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    path = write(tmp_path / "a.ims")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadFile, match="truncated"):
        convert(path, tmp_path / "out", limits=LIMITS)


def test_a_bomb_in_a_chunk_is_not_unpacked(tmp_path: Path) -> None:
    path = as_ims(tmp_path / "noname")
    with h5py.File(path, "r+") as file:
        group = file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"]
        del group["Data"]
        made = group.create_dataset(
            "Data", (6, 90, 70), "u2", chunks=(6, 90, 70), compression="gzip"
        )
        made.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(64 << 20), 9))
    with pytest.raises(BadFile, match="does not unpack to what it promised"):
        convert(path, tmp_path / "out", limits=LIMITS)
