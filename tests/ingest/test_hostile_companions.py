"""Files that name others never make the import read what is not theirs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import micromanager
import numpy as np
import pytest
import tifffile

from cid_server_ext.errors import BadFile
from cid_server_ext.ingest.convert import Limits, convert

SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
OTHER = "urn:uuid:00000000-0000-4000-8000-000000000001"
SECRET = 4242


def ome(name: str, uuid: str = OTHER) -> str:
    return (
        f'<OME xmlns="{SCHEMA}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT"'
        ' Type="uint16" SizeX="8" SizeY="8" SizeZ="1" SizeC="1" SizeT="1"><Channel ID="Channel:0:0"'
        f'/><TiffData IFD="0" PlaneCount="1"><UUID FileName="{name}">{uuid}</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )


def ome_tiff(folder: Path, secret: Path) -> Path:
    path = folder / "x.ome.tif"
    pixels = np.zeros((8, 8), np.uint16)
    tifffile.imwrite(path, pixels, description=ome(f"../{secret.name}"), metadata=None)
    return path


def ome_tiff_by_whole_path(folder: Path, secret: Path) -> Path:
    path = folder / "x.ome.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint16), description=ome(str(secret)), metadata=None)
    return path


def companion(folder: Path, secret: Path) -> Path:
    (folder / "x.companion.ome").write_text(ome(f"../{secret.name}"))
    return folder / "x.companion.ome"


def companion_with_entities(folder: Path, secret: Path) -> Path:
    text = ome("a.tif").replace("<OME", f'<!DOCTYPE OME [<!ENTITY x SYSTEM "{secret}">]><OME', 1)
    (folder / "x.companion.ome").write_text(text)
    return folder / "x.companion.ome"


def companion_that_never_ends(folder: Path, secret: Path) -> Path:
    with (folder / "x.companion.ome").open("wb") as file:
        file.write(b"<OME>")
        file.truncate(8 << 30)
    return folder / "x.companion.ome"


def linked_member(folder: Path, secret: Path) -> Path:
    os.symlink(secret, folder / "b.ome.tif")
    path = folder / "x.ome.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint16), description=ome("b.ome.tif"), metadata=None)
    return path


def nd(folder: Path, secret: Path) -> Path:
    (folder / "x.nd").write_text(
        '"NDInfoFile", Version 1.0\n"DoWave", TRUE\n"NWavelengths", 1\n"WaveInFileName", TRUE\n'
        f'"WaveName1", "/../../{secret.stem}"\n'
    )
    return folder / "x.nd"


def nd_passwords(folder: Path, secret: Path) -> Path:
    (folder / "..").joinpath("x_w1").touch()
    (folder / "x.nd").write_text(
        '"NDInfoFile", Version 1.0\n"DoWave", TRUE\n"NWavelengths", 1\n'
        '"WaveName1", "../../../../../../etc/passwd"\n'
    )
    return folder / "x.nd"


def nd_without_end(folder: Path, secret: Path) -> Path:
    (folder / "x.nd").write_text(
        '"NDInfoFile", Version 1.0\n"DoTimelapse", TRUE\n"NTimePoints", 999999999999\n'
    )
    tifffile.imwrite(folder / "x_t1.tif", np.zeros((8, 8), np.uint16))
    return folder / "x.nd"


def nd_link(folder: Path, secret: Path) -> Path:
    (folder / "x.nd").write_text('"NDInfoFile", Version 1.0\n')
    os.symlink(secret, folder / "x.tif")
    return folder / "x.nd"


def plate_of_zarr(folder: Path, secret: Path) -> Path:
    store = folder / "x.zarr"
    (store / "A" / "1").mkdir(parents=True)
    for place in (store, store / "A", store / "A" / "1"):
        (place / ".zgroup").write_text('{"zarr_format": 2}')
    (store / ".zattrs").write_text(json.dumps({"plate": {"wells": [{"path": "A/1"}]}}))
    well = {"well": {"images": [{"path": "../../../../secret.zarr"}]}}
    (store / "A" / "1" / ".zattrs").write_text(json.dumps(well))
    return store


def linked_zarr(folder: Path, secret: Path) -> Path:
    store = plate_of_zarr(folder, secret)
    os.symlink("/etc", store / "A" / "1" / "0")
    return store


def linked_plate(folder: Path, secret: Path) -> Path:
    (folder / "p" / "TimePoint_1").mkdir(parents=True)
    os.symlink(secret, folder / "p" / "TimePoint_1" / "p_A01_s1_w1.tif")
    tifffile.imwrite(folder / "p" / "TimePoint_1" / "p_A01_s1_w2.tif", np.zeros((8, 8), np.uint16))
    return folder / "p"


def micromanager_list(folder: Path, secret: Path) -> Path:
    said = {"Summary": {}, "FrameKey-0-0-0": {"FileName": f"../{secret.name}"}}
    (folder / "metadata.txt").write_text(json.dumps(said))
    return folder / "metadata.txt"


def micromanager_link(folder: Path, secret: Path) -> Path:
    os.symlink(secret, folder / "img_000000000_DAPI_000.tif")
    said = {"Summary": {"ChNames": ["DAPI"]}, "Coords-a/img_channel000_time000_z000.tif": {}}
    (folder / "metadata.txt").write_text(json.dumps(said))
    return folder / "metadata.txt"


def micromanager_stacks(folder: Path, secret: Path) -> Path:
    path = folder / "x_MMStack_Pos0.ome.tif"
    planes = {(0, 0, 0, 0): np.zeros((8, 8), np.uint16)}
    micromanager.stack(path, planes, xml=ome(f"../{secret.name}"))
    return path


def ndtiff(folder: Path, secret: Path) -> Path:
    path = micromanager.ndtiff(folder, [({"z": at}, np.zeros((8, 8), "u2")) for at in range(2)])
    name = b"acq_NDTiffStack.tif"
    path.write_bytes(path.read_bytes().replace(name, f"../{secret.name}".encode().ljust(19)))
    return path


MAKERS: list[Callable[[Path, Path], Path]] = [
    ome_tiff,
    ome_tiff_by_whole_path,
    companion,
    companion_with_entities,
    companion_that_never_ends,
    linked_member,
    nd,
    nd_passwords,
    nd_without_end,
    nd_link,
    plate_of_zarr,
    linked_zarr,
    linked_plate,
    micromanager_list,
    micromanager_link,
    micromanager_stacks,
    ndtiff,
]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_file_that_names_what_is_not_its_own_is_refused(tmp_path: Path, make) -> None:
    secret = tmp_path / "secret.tif"
    tifffile.imwrite(secret, np.full((8, 8), SECRET, np.uint16))
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(BadFile) as refused:
        convert(make(folder, secret), tmp_path / "out", limits=Limits(memory=3 << 29))
    assert str(SECRET) not in str(refused.value)
    assert "root:" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_acquisitions_of_micromanager_are_read_inside_their_own_folder(tmp_path: Path) -> None:
    expected = micromanager.old(tmp_path / "a")
    frames = [({"z": z}, expected[0, 0, z]) for z in range(3)]
    stack = tmp_path / "c" / "x_MMStack.tif"
    stack.parent.mkdir()
    micromanager.stack(stack, {(0, 0, 0, z): plane for z, (_, plane) in enumerate(frames)})
    mains = (tmp_path / "a/metadata.txt", micromanager.ndtiff(tmp_path / "b", frames), stack)
    shapes = [(2, 2, 3, 7, 9), (3, 7, 9), (3, 7, 9)]
    for main, shape in zip(mains, shapes, strict=True):
        (image,) = convert(main, tmp_path / f"out-{main.name}", limits=Limits(memory=3 << 29))
        assert tuple(image.shape) == shape
