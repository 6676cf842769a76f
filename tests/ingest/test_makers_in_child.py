"""Files of microscope makers, through the limited child: their libraries work within its limits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cid_server_ext.errors import BadFile
from cid_server_ext.ingest.convert import convert

FILES = {
    "lif/readlif_2channel_xz.lif": ["xzt", "xzy", "xz"],
    "czi/neubias_multiple_images.czi": ["scene 1", "scene 2"],
    "czi/zeiss_CellDivision_T3_Z5_CH2.czi": [""],
    "flim/simfcs_4dyes.R64": [""],
}
# What starts threads or maps memory when it is loaded: only a child loads it, for its one file.
LATE = ["liffile", "nd2", "oiffile", "pylibCZIrw", "sdtfile", "slideio", "jpype", "h5py", "mrcfile"]


@pytest.mark.parametrize("name", FILES)
def test_real_files_are_written_and_proved(real: Path, tmp_path: Path, name: str) -> None:
    images = convert(real / "formats" / name, tmp_path / "out")
    assert len(images) == len(FILES[name])
    for image, part in zip(images, FILES[name], strict=True):
        assert part in image.name
        assert (image.folder / "image.ome.zarr/OME/METADATA.ome.xml").is_file()


@pytest.mark.parametrize("name", ["czi/zeiss_CellDivision_T3_Z5_CH2.czi", "flim/simfcs_4dyes.R64"])
def test_half_of_a_file_ends_in_a_reason(real: Path, tmp_path: Path, name: str) -> None:
    data = (real / "formats" / name).read_bytes()
    path = tmp_path / Path(name).name
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(BadFile, match="truncated"):
        convert(path, tmp_path / "out")


def test_the_nursery_loads_no_library_of_a_maker() -> None:
    asked = "import sys, cid_server_ext.ingest.nursery; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert not set(LATE) & set(told.stdout.split())
