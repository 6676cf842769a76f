"""Micro-Manager's single planes: the folder of a stage position is one image of t, c and z."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import micromanager
import numpy as np
import pytest
import tifffile
from micromanager import COLOURS, SCALE, grouped, tags_of

from cid_server_ext.storage.readers import open_images, sort


def test_single_planes_of_the_old_version_are_one_image(tmp_path: Path, only) -> None:
    expected = micromanager.old(tmp_path / "Pos0")
    image = only(tmp_path / "Pos0" / "metadata.txt")
    assert (image.axes, image.shape, image.dtype) == ("tczyx", (2, 2, 3, 7, 9), np.uint16)
    assert (image.array.compute() == expected).all()
    assert (image.name, image.scale, list(image.channels)) == ("acq_1 Pos0", SCALE, COLOURS)
    assert tags_of(image) == {
        "Acquisition software": "Micro-Manager 1.4.22",
        "Acquisition date": "2023-09-18T13:00:00+02:00",
        "Objective": "Plan Apo 20x",
        "Tube/Detector": "Zyla 4.2",
        "User": "an operator",
        "Stage position": "Pos0",
        "Exposure": "DAPI 10 ms; GFP 20 ms",
    }
    assert image.unknown["Lasers"] == "the file does not say (Micro-Manager)"
    assert grouped(tmp_path) == [("Pos0/metadata.txt", 12)]


def test_each_position_of_the_new_version_is_an_image(tmp_path: Path, only) -> None:
    expected = [micromanager.new(tmp_path / f"1-Pos_{at:03d}_000", at) for at in range(2)]
    assert grouped(tmp_path) == [(f"1-Pos_{at:03d}_000/metadata.txt", 12) for at in range(2)]
    for at in range(2):
        image = only(tmp_path / f"1-Pos_{at:03d}_000" / "metadata.txt")
        assert (image.array.compute() == expected[at]).all()
        assert (image.scale, list(image.channels)) == (SCALE, COLOURS)
        told = tags_of(image)
        assert told["Stage position"] == f"1-Pos_{at:03d}_000"
        assert told["Objective"] == "Plan Apo 20x"
        assert told["Acquisition date"] == "2023-09-18T13:00:00.500000+02:00"
        assert told["Acquisition software"] == "Micro-Manager 2.0.1"


def test_one_list_above_the_folders_of_its_positions_gives_all_of_them(tmp_path: Path) -> None:
    expected = [micromanager.new(tmp_path / f"Pos{at}", at) for at in range(2)]
    said: dict[str, object] = {}
    for at in range(2):
        said |= json.loads((tmp_path / f"Pos{at}/metadata.txt").read_text())
        (tmp_path / f"Pos{at}/metadata.txt").unlink()
    (tmp_path / "metadata.txt").write_text(json.dumps(said))
    images = open_images(tmp_path / "metadata.txt")
    for image, one in zip(images, expected, strict=True):
        assert (image.array.compute() == one).all()
    assert grouped(tmp_path) == [("metadata.txt", 24)]


def test_a_list_in_any_order_says_the_same(tmp_path: Path, only) -> None:
    expected = micromanager.old(tmp_path)
    path = tmp_path / "metadata.txt"
    before = only(path)
    said = json.loads(path.read_text())
    path.write_text(json.dumps(dict(reversed(said.items()))))
    image = only(path)
    assert (image.array.compute() == expected).all()
    assert (image.tags, image.scale, image.channels) == (
        before.tags,
        before.scale,
        before.channels,
    )


def test_a_list_that_was_cut_off_and_planes_that_it_does_not_name_are_read(tmp_path, only) -> None:
    for write in (micromanager.old, micromanager.new):
        folder = tmp_path / write.__name__
        expected = write(folder)
        path = folder / "metadata.txt"
        path.write_text(path.read_text()[: path.stat().st_size * 2 // 3])
        assert (only(path).array.compute() == expected).all()
    assert [count for _, count in grouped(tmp_path)] == [12, 12]


def test_planes_that_are_lost_are_black_and_named(tmp_path: Path, only) -> None:
    expected = micromanager.old(tmp_path)
    for t, name in ((0, "GFP"), (1, "DAPI")):
        (tmp_path / f"img_{t:09d}_{name}_002.tif").unlink()
    expected[0, 1, 2] = expected[1, 0, 2] = 0
    image = only(tmp_path / "metadata.txt")
    assert (image.array.compute() == expected).all()
    assert ("Missing planes", "t 1 c 2 z 3; t 2 c 1 z 3", 2.0) in image.tags


def test_an_acquisition_that_was_stopped_ends_where_its_planes_end(tmp_path: Path, only) -> None:
    micromanager.old(tmp_path, (1, 2, 3), Frames=40)
    image = only(tmp_path / "metadata.txt")
    assert (image.axes, image.shape) == ("czyx", (2, 3, 7, 9))
    told = ("Missing time points", "t 2 to 40 of 40: stopped before its end", 39.0)
    assert told in image.tags
    assert "Missing planes" not in tags_of(image)


def test_a_channel_without_z_is_at_every_z(tmp_path: Path, only) -> None:
    expected = micromanager.old(tmp_path)
    said = json.loads((tmp_path / "metadata.txt").read_text())
    for key in [key for key in said if key.endswith(("-1-0", "-1-2"))]:
        (tmp_path / said.pop(key)["FileName"]).unlink()
    (tmp_path / "metadata.txt").write_text(json.dumps(said))
    image = only(tmp_path / "metadata.txt")
    expected[:, 1] = expected[:, 1, 1:2]
    assert (image.array.compute() == expected).all()
    assert tags_of(image)["Repeated planes"] == "at every z the one plane of: GFP"


def test_what_is_not_said_stays_unknown(tmp_path: Path, only) -> None:
    micromanager.old(tmp_path, (1, 1, 1))
    frame = {"FileName": "img_000000000_DAPI_000.tif", "PixelSizeUm": 0}
    said = {"Summary": {"PixelSize_um": 0}, "FrameKey-0-0-0": frame}
    (tmp_path / "metadata.txt").write_text(json.dumps(said))
    image = only(tmp_path / "metadata.txt")
    assert (image.scale, image.channels) == ({}, ({"name": "Channel 1"},))
    assert tags_of(image) == {"Acquisition software": "Micro-Manager"}


def test_sorting_opens_no_plane(tmp_path: Path, monkeypatch) -> None:
    micromanager.old(tmp_path)
    opened: Counter[str] = Counter()
    real = tifffile.TiffFile.__init__

    def noted(self, file, *args, **more):
        opened[Path(file).name] += 1
        real(self, file, *args, **more)

    monkeypatch.setattr(tifffile.TiffFile, "__init__", noted)
    assert grouped(tmp_path) == [("metadata.txt", 12)]
    assert not opened
    open_images(tmp_path / "metadata.txt")
    assert sum(opened.values()) == 1


def test_text_of_the_same_name_is_kept_as_a_file(tmp_path: Path) -> None:
    for at, said in enumerate(("notes", '{"a": 1}', "[1, 2]", "", '{"Summary": {}}')):
        (tmp_path / str(at)).mkdir()
        (tmp_path / str(at) / "metadata.txt").write_text(said)
    found = sort(tmp_path)
    assert (found.groups, len(found.others)) == ((), 5)


def spoil(folder: Path, key: str, **more: object) -> Path:
    micromanager.old(folder, (1, 1, 2))
    path = folder / "metadata.txt"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: more}))
    return path


@pytest.mark.parametrize(
    "name", ["../secret.tif", "/etc/passwd", "..\\secret.tif", "a/b/c.tif", "./x", "", "a\0b"]
)
def test_a_list_that_leads_out_is_refused(tmp_path: Path, refused, name) -> None:
    shown = spoil(tmp_path / "in", f"Metadata-{name}", FrameIndex=0, ChannelIndex=0, SliceIndex=5)
    if name:
        assert "outside of its own folder" in refused(shown)
    else:
        assert len(open_images(shown)) == 1  # an entry for no file is none


@pytest.mark.parametrize(
    ("key", "more", "why"),
    [
        ("FrameKey-999999999-0-0", {"FileName": "x.tif"}, "no acquisition ends"),
        ("FrameKey-0-0-0", {"FileName": "x.tif", "FrameIndex": -1}, "no acquisition ends"),
        ("FrameKey-9999999-0-0", {"FileName": "x.tif"}, "more than any real image"),
        ("FrameKey-0-99999-9999", {"FileName": "x.tif"}, "more than any real image"),
        ("FrameKey-0-0-1", {"FileName": "img_000000000_DAPI_000.tif"}, "two planes"),
        ("FrameKey-0-0-5", {"FileName": "link.tif"}, "is a link"),
        ("FrameKey-0-0-9", {"FileName": "metadata.txt/x.tif"}, None),
        ("FrameKey-0-0-0", {"FileName": "metadata.txt"}, "metadata.txt"),
    ],
    ids=str,
)
def test_a_list_that_lies_is_refused(tmp_path: Path, refused, key, more, why) -> None:
    path = spoil(tmp_path, key, **more)
    (tmp_path / "link.tif").symlink_to("/etc/passwd")
    if why == "two planes":
        said = json.loads(path.read_text())
        said["FrameKey-0-0-0"] = {"FileName": "img_000000000_DAPI_001.tif", "SliceIndex": 1}
        path.write_text(json.dumps(said))
    if why:
        assert why in refused(path)
    else:
        assert open_images(path)[0].shape == (10, 7, 9)


def test_a_list_without_end_is_refused(tmp_path: Path, refused, monkeypatch) -> None:
    path = tmp_path / "metadata.txt"
    monkeypatch.setattr("cid_server_ext.storage.readers.micromanager.singles.MOST", 20)
    many = {f"FrameKey-{at}-0-0": {"FileName": f"{at}.tif"} for at in range(30)}
    path.write_text(json.dumps({"Summary": {}, **many}))
    assert "more than 20 planes" in refused(path)
    path.write_text('{"Summary": ' + "[" * 100_000)
    assert "none of the planes" in refused(path)
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    assert "512 MB" in refused(path)
    assert sort(tmp_path).groups[0].members == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"SliceIndex": 0', '"SliceIndex": x'),
        ("},", "} ;"),
        ('"FrameKey-0-0-1":', '"FrameKey-0-0-1"'),
    ],
)
def test_a_list_that_is_damaged_in_its_midst_is_refused(tmp_path, refused, old, new) -> None:
    micromanager.old(tmp_path, (2, 1, 2))
    path = tmp_path / "metadata.txt"
    path.write_text(path.read_text().replace(old, new, 1))
    assert "damaged in its midst" in refused(path)


def test_a_plane_of_another_size_is_refused(tmp_path: Path, refused) -> None:
    micromanager.old(tmp_path, (1, 1, 2))
    tifffile.imwrite(tmp_path / "img_000000000_DAPI_001.tif", np.zeros((3, 3), np.uint16))
    assert "not of one image" in refused(tmp_path / "metadata.txt")
