"""ImageXpress plates: one image for each site, with its waves, times and z, told by the names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cid_server_ext.storage.readers import open_images, sort

PLATE = "hcs/imagexpress_1well/2024-04-22/1697"


@pytest.fixture
def metaseries(real: Path) -> str:
    """The description of a real plane."""
    path = next((real / PLATE / "TimePoint_1").glob("*_s1_w1*"))
    with tifffile.TiffFile(path) as file:
        return str(file.pages.first.description)


def shot(path: Path, value: int, description: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((8, 9), value, np.uint16)
    tifffile.imwrite(path, pixels, description=description, metadata=None)


def test_the_real_plate_is_one_image_for_each_site(real: Path) -> None:
    images = open_images(real / PLATE)
    assert [image.name for image in images] == ["C07 s1", "C07 s2"]
    for site, image in enumerate(images, 1):
        assert (image.axes, image.shape, image.dtype) == ("tcyx", (2, 3, 256, 256), np.uint16)
        assert (image.scale["y"], image.scale["x"]) == (13.5504, 13.5504)
        assert 5 < image.scale["t"] < 6
        assert [channel["name"] for channel in image.channels] == ["FITC", "Cy3", "Texas Red"]
        found = image.array.compute()
        for t, c in np.ndindex(2, 3):
            folder = real / PLATE / f"TimePoint_{t + 1}"
            (path,) = folder.glob(f"*_C07_s{site}_w{c + 1}*.tif")
            assert (found[t, c] == tifffile.imread(path)).all()


def test_the_real_plate_tells_of_its_microscope(real: Path) -> None:
    image = open_images(real / PLATE)[1]
    assert {key: (text, number) for key, text, number in image.tags} == {
        "Acquisition software": ("MetaXpress 6.7.2.290", None),
        "Acquisition date": ("2024-04-22T09:57:39.375000", None),
        "Microscope": ("Molecular Devices ImageXpress Micro", None),
        "Objective": ("4X Plan Apo NA 0.2", 4.0),
        "Filters": (
            "IXConfocal Module Dichroic Wheel: FITC; IXConfocal Module Emission Wheel: FITC",
            None,
        ),
        "Tube/Detector": ("AndorSdk3 Camera", None),
        "Plate": ("1well-3C-2S-Zmix-T", None),
        "Well": ("C07", None),
        "Row": ("C", None),
        "Column": ("07", 7.0),
        "Field": ("2", 2.0),
    }
    assert image.unknown == {
        "Lasers": "the file names other light sources: Lumencor Cyan",
        "User": "the file does not say (ImageXpress)",
    }


@pytest.mark.parametrize("htd", [False, True])
def test_z_steps_waves_and_wells_have_their_places(tmp_path: Path, metaseries, htd: bool) -> None:
    folder = tmp_path / "Plate 1"
    expected = {}
    for at, (well, site) in enumerate([("A01", 1), ("A01", 2), ("B12", 1)]):
        for t, z in np.ndindex(2, 3):
            value = 100 * at + 10 * t + z
            place = folder / f"TimePoint_{t + 1}" / f"ZStep_{z + 1}"
            shot(place / f"my exp_{well}_s{site}_w1.TIF", value, metaseries)
            expected[at, t, 0, z] = value
            expected[at, t, 1, z] = 7 + t
        for t in range(2):
            place = folder / f"TimePoint_{t + 1}"
            shot(place / f"my exp_{well}_s{site}_w2.TIF", 7 + t, metaseries)
            shot(place / f"my exp_{well}_s{site}_w2_thumb.TIF", 99, metaseries)
    if htd:
        (folder / "my exp.HTD").write_text('"HTSInfoFile", Version 1.0\n"WaveName1", "Deep"\n')
    images = open_images(folder)
    assert [image.name for image in images] == ["A01 s1", "A01 s2", "B12 s1"]
    for at, image in enumerate(images):
        assert (image.axes, image.shape) == ("tczyx", (2, 2, 3, 8, 9))
        found = image.array.compute()[..., 0, 0]
        assert all(found[t, c, z] == expected[at, t, c, z] for t, c, z in np.ndindex(2, 2, 3))
        assert "Repeated planes" in {key for key, _, _ in image.tags}
    names = [channel["name"] for channel in images[0].channels]
    assert names == (["Deep", "FITC"] if htd else ["FITC w1", "FITC w2"])
    (group,) = sort(tmp_path).groups
    assert (group.main, group.members, group.reader) == ("Plate 1", (), "ImageXpress")


def test_z_steps_that_count_from_0_are_all_there(tmp_path: Path, metaseries) -> None:
    for z in range(3):
        shot(tmp_path / "p" / "TimePoint_1" / f"ZStep_{z}" / "p_A01_s1_w1.TIF", z + 5, metaseries)
    (image,) = open_images(tmp_path / "p")
    assert image.array.compute()[..., 0, 0].tolist() == [5, 6, 7]
    assert not {"Repeated planes", "Missing planes"} & {key for key, _, _ in image.tags}


def test_a_plate_without_a_folder_of_its_own_is_one_group(tmp_path: Path, metaseries) -> None:
    for name in ("p_A01_s1_w1", "p_A01_s1_w2", "p_A02_s1_w1", "p_A01_s1_w1_thumb", "q_A01_w1"):
        shot(tmp_path / f"{name}.TIF", 1, metaseries)
    shot(tmp_path / "other.tif", 1, "")
    (tmp_path / "p.HTD").write_text('"HTSInfoFile", Version 1.0\n')
    groups = {group.main: group.members for group in sort(tmp_path).groups}
    assert groups == {
        "p.HTD": (
            "p_A01_s1_w1.TIF",
            "p_A01_s1_w1_thumb.TIF",
            "p_A01_s1_w2.TIF",
            "p_A02_s1_w1.TIF",
            "q_A01_w1.TIF",
        ),
        "other.tif": (),
    }
    (tmp_path / "p.HTD").unlink()
    groups = {group.main: len(group.members) for group in sort(tmp_path).groups}
    assert groups == {"p_A01_s1_w1.TIF": 3, "q_A01_w1.TIF": 0, "other.tif": 0}
    images = open_images(tmp_path / "p_A01_s1_w1.TIF")
    assert [image.name for image in images] == ["A01 s1", "A02 s1"]
    told = {key: text for key, text, _ in images[1].tags}
    assert told["Missing planes"] == "t 1 c 2 z 1"


def test_an_upload_of_the_inside_of_a_plate_is_one_group(real: Path, tmp_path: Path) -> None:
    shutil.copytree(real / PLATE, tmp_path / "in")
    (group,) = sort(tmp_path / "in").groups
    assert len(group.members) == 11
    assert group.main.startswith("TimePoint_1/")
    assert [image.shape for image in open_images(tmp_path / "in" / group.main)] == [
        (2, 3, 256, 256)
    ] * 2


def test_files_that_only_look_like_it_are_read_alone(tmp_path: Path) -> None:
    for name in ("exp_A01_s1_w1", "IXMtest_A02_s9", "exp_B03"):
        shot(tmp_path / f"{name}.tif", 1, "")
    assert {group.reader for group in sort(tmp_path).groups} == {"TIFF"}


def test_two_files_of_one_place_are_refused(tmp_path: Path, metaseries, refused) -> None:
    for guid in ("5D5F8F51A-3E85-4358-AE51-A465AF87386F", "5401562CF-BD52-4C90-A944-83185F26B372"):
        shot(tmp_path / f"p_A01_s1_w{guid}.tif", 1, metaseries)
    assert "keep the TimePoint folders" in refused(next(tmp_path.iterdir()))


def test_links_and_other_sizes_are_refused(tmp_path: Path, metaseries, refused) -> None:
    folder = tmp_path / "p"
    for wave in (1, 2):
        shot(folder / "TimePoint_1" / f"p_A01_s1_w{wave}.tif", 1, metaseries)
    second = folder / "TimePoint_1" / "p_A01_s1_w2.tif"
    tifffile.imwrite(second, np.zeros((5, 5), np.uint16), description=metaseries, metadata=None)
    assert "not of one image" in refused(folder)
    second.unlink()
    os.symlink("/etc/passwd", second)
    with pytest.raises(Exception, match="link"):
        open_images(folder)
