"""Micro-Manager's stacks: the files of a stage position are one image, with OME-XML or without."""

from __future__ import annotations

import struct
from pathlib import Path

import micromanager
import numpy as np
import pytest
from micromanager import COLOURS, SCALE, grouped, tags_of

from cid_server_ext.storage.readers import open_images, planes


def planes_of(expected: np.ndarray, position: int = 0) -> micromanager.Planes:
    return {(position, *at): expected[at] for at in np.ndindex(expected.shape[:3])}


def two_files(folder: Path, **more) -> np.ndarray:
    """Write a stack of one position into two files."""
    folder.mkdir(exist_ok=True)
    expected = micromanager.pixels(2, 2, 3, 7, 9)
    parts = list(planes_of(expected).items())
    for name, part in (("acq_1_MMStack_Pos0", parts[:5]), ("acq_1_MMStack_Pos0_1", parts[5:])):
        micromanager.stack(folder / f"{name}.ome.tif", dict(part), **more)
    return expected


@pytest.mark.parametrize("table", [True, False])
def test_several_stacks_are_one_image_with_a_map_or_without(tmp_path, only, table) -> None:
    expected = two_files(tmp_path, table=table)
    (tmp_path / "acq_1_MMStack_Pos0_metadata.txt").write_text("{}")
    image = only(tmp_path / "acq_1_MMStack_Pos0.ome.tif")
    assert (image.axes, image.shape) == ("tczyx", (2, 2, 3, 7, 9))
    assert (image.array.compute() == expected).all()
    assert (image.name, list(image.channels)) == ("acq_1 Pos0", COLOURS)
    assert image.scale == {"t": 6.0, "z": 0.5, "y": 0.25, "x": 0.25}
    assert tags_of(image)["Exposure"] == "DAPI 10 ms; GFP 20 ms"
    assert grouped(tmp_path) == [("acq_1_MMStack_Pos0.ome.tif", 2)]


def test_a_stack_whose_end_was_never_written_ends_where_its_planes_end(tmp_path, only) -> None:
    expected = micromanager.pixels(2, 2, 3, 7, 9)
    path = tmp_path / "acq_1_MMStack_Pos0.ome.tif"
    written = dict(list(planes_of(expected).items())[:-1])
    micromanager.stack(path, written, table=False, Frames=9)
    image = only(path)
    expected[1, 1, 2] = 0
    assert (image.array.compute() == expected).all()
    assert tags_of(image)["Missing planes"] == "t 2 c 2 z 3"
    assert tags_of(image)["Missing time points"].startswith("t 3 to 9 of 9")


def test_positions_in_one_stack_or_in_one_each_are_images(tmp_path: Path) -> None:
    expected = [micromanager.pixels(1, 2, 3, 7, 9 + at) for at in range(2)]
    both = {**planes_of(expected[0]), **planes_of(expected[1], 1)}
    micromanager.stack(tmp_path / "MMStack.tif", both)
    for at in range(2):
        micromanager.stack(tmp_path / f"b_MMStack_Pos{at}.tif", planes_of(expected[at], at))
        micromanager.stack(tmp_path / f"c_MMStack_Pos{at}.tif", planes_of(expected[at]))
    for name in ("MMStack.tif", "b_MMStack_Pos0.tif", "c_MMStack_Pos1.tif"):
        images = open_images(tmp_path / name)
        for image, one in zip(images, expected, strict=True):
            assert (image.array.compute() == one[0]).all()
    assert [main for main, _ in grouped(tmp_path)] == [
        "MMStack.tif",
        "b_MMStack_Pos0.tif",
        "c_MMStack_Pos0.tif",
    ]


SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
UUIDS = [f"urn:uuid:0000000{at}-0000-4000-8000-000000000000" for at in range(10)]


def xml(names: list[str], times: int = 2, own: int = 9, held: int = 1, **pixels: str) -> str:
    """Return OME-XML as a stack of two channels and three z has it, poor; own: which file's."""
    more = "".join(f' {key}="{value}"' for key, value in pixels.items())
    files = "".join(
        f'<TiffData FirstT="{at}" IFD="0" PlaneCount="{held}"><UUID FileName="{name}">{UUIDS[at]}'
        "</UUID></TiffData>"
        for at, name in enumerate(names)
    )
    return (
        f'<OME xmlns="{SCHEMA}" UUID="{UUIDS[own]}"><Image ID="Image:0" Name="poor">'
        '<Pixels ID="Pixels:0" Type="uint16" DimensionOrder="XYZCT" SizeX="9" SizeY="7" SizeC="2"'
        f' SizeZ="3" SizeT="{times}"{more}>'
        f'<Channel ID="Channel:0:0" Name="blue"/><Channel ID="Channel:0:1"/>{files}</Pixels>'
        "</Image></OME>"
    )


def test_what_ome_xml_leaves_out_is_taken_from_the_summary(tmp_path: Path, only) -> None:
    names = ["acq_1_MMStack_Pos0.ome.tif", "acq_1_MMStack_Pos0_1.ome.tif"]
    expected = two_files(tmp_path, xml=xml(names, 50, PhysicalSizeX="0.3"))
    image = only(tmp_path / names[1])
    assert (image.array.compute() == expected).all()
    assert (image.name, image.scale) == ("poor", {**SCALE, "x": 0.3})
    assert [one["name"] for one in image.channels] == ["blue", "GFP"]
    assert 'SizeT="2"' in (image.ome_xml or "")
    assert tags_of(image)["User"] == "an operator"


def test_renamed_stacks_are_known_by_their_uuid(tmp_path: Path, only) -> None:
    expected = micromanager.pixels(2, 2, 3, 7, 9)
    names = ["acq_1_MMStack_Pos0.ome.tif", "acq_1_MMStack_Pos0_1.ome.tif"]
    for t in range(2):
        part = {(0, t, c, z): expected[t, c, z] for c in range(2) for z in range(3)}
        text = xml(names, own=t, held=6)
        micromanager.stack(tmp_path / f"kept {t}.tif", part, xml=text, Prefix="renamed")
    image = only(tmp_path / "kept 0.tif")
    assert (image.array.compute() == expected).all()
    assert [one["name"] for one in image.channels] == ["blue", "GFP"]
    assert (image.scale["x"], image.name, tags_of(image)["User"]) == (0.25, "poor", "an operator")
    assert grouped(tmp_path) == [("kept 0.tif", 1)]
    alone = xml(names[:1], own=0, held=6)
    micromanager.stack(tmp_path / "alone.tif", planes_of(expected[:1]), xml=alone)
    assert (only(tmp_path / "alone.tif").array.compute() == expected[0]).all()


def test_a_stack_that_ome_xml_names_and_that_is_not_there_is_told(tmp_path: Path, refused) -> None:
    names = ["acq_1_MMStack_Pos0.ome.tif", "acq_1_MMStack_Pos0_1.ome.tif"]
    two_files(tmp_path, xml=xml(names))
    (tmp_path / names[1]).unlink()
    assert refused(tmp_path / names[0]) == (
        f"the file {names[1]!r}, which belongs to it, is missing: upload them together"
    )


@pytest.mark.parametrize("count", [1 << 31, 400_000, 100])
def test_a_map_of_more_than_there_is_is_refused(tmp_path: Path, refused, count) -> None:
    path = tmp_path / "x_MMStack.tif"
    micromanager.stack(path, planes_of(micromanager.pixels(1, 1, 2, 7, 9)))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(struct.pack("<I", 3453623)) + 4, count)
    path.write_bytes(data)
    assert "more than it has. Copy it again" in refused(path)


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_a_map_that_puts_planes_far_away_is_refused(tmp_path: Path, refused, at) -> None:
    path = tmp_path / "x_MMStack.tif"
    micromanager.stack(path, planes_of(micromanager.pixels(1, 1, 2, 7, 9)))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(struct.pack("<I", 3453623)) + 8 + 4 * at, 1 << 30)
    path.write_bytes(data)
    assert "no acquisition ends" in refused(path)


def test_a_stack_that_was_cut_off_is_refused(tmp_path: Path, refused) -> None:
    path = tmp_path / "x_MMStack.tif"
    micromanager.stack(path, planes_of(micromanager.pixels(1, 1, 3, 7, 9)))
    path.write_bytes(path.read_bytes()[:-80])
    assert "Copy it again" in refused(path)


def test_pages_in_a_circle_and_a_summary_without_end_do_no_harm(tmp_path: Path, only) -> None:
    path = tmp_path / "x_MMStack.tif"
    micromanager.stack(path, planes_of(micromanager.pixels(1, 1, 2, 7, 9)))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 36, (1 << 32) - 1)
    path.write_bytes(data)
    image = only(path)
    assert (image.name, image.shape) == ("Pos0", (2, 7, 9))


def test_few_stacks_are_open_at_once(tmp_path: Path, only, monkeypatch) -> None:
    monkeypatch.setattr(planes, "OPEN", 1)
    expected = two_files(tmp_path)
    image = only(tmp_path / "acq_1_MMStack_Pos0.ome.tif")
    assert (image.array.compute() == expected).all()


def test_a_link_among_the_stacks_is_refused(tmp_path: Path, refused) -> None:
    two_files(tmp_path / "a")
    (tmp_path / "a/acq_1_MMStack_Pos0_1.ome.tif").rename(tmp_path / "b.tif")
    (tmp_path / "a/acq_1_MMStack_Pos0_1.ome.tif").symlink_to(tmp_path / "b.tif")
    assert "is a link" in refused(tmp_path / "a/acq_1_MMStack_Pos0.ome.tif")
