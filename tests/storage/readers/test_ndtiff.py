"""NDTiff: an index of planes and the files that they lie in are one image a stage position."""

from __future__ import annotations

import struct
from pathlib import Path

import micromanager
import numpy as np
import pytest
from micromanager import grouped, tags_of

from cid_server_ext.storage.readers import open_images, sort


def frames(expected: np.ndarray, names: list[str] | None = None, **more) -> list:
    """Return the planes of an NDTiff, each with its axes."""
    return [
        ({**more, "time": t, "channel": names[c] if names else c, "z": z - 1}, expected[t, c, z])
        for t, c, z in np.ndindex(expected.shape[:3])
    ]


def test_an_ndtiff_is_one_image_a_position(tmp_path: Path) -> None:
    expected = [micromanager.pixels(2, 2, 3, 7, 9) + at for at in range(2)]
    every = [one for at in range(2) for one in frames(expected[at], ["GFP", "Cy5"], position=at)]
    path = micromanager.ndtiff(tmp_path, every)
    images = open_images(path)
    for at, (image, one) in enumerate(zip(images, expected, strict=True)):
        assert (image.axes, image.dtype) == ("tczyx", np.uint16)
        assert (image.array.compute() == one).all()
        assert image.scale == {"t": 6.0, "z": 0.5, "y": 0.25, "x": 0.25}
        assert [channel["name"] for channel in image.channels] == ["GFP", "Cy5"]
        assert (tags_of(image)["Stage position"], image.name) == (str(at), f"acq_1 {at}")
    assert grouped(tmp_path) == [("NDTiff.index", 2)]


def test_an_ndtiff_of_colour_pictures_and_without_summary_is_read(tmp_path: Path, only) -> None:
    picture = micromanager.pixels(7, 9, 3, kind="u1")
    path = micromanager.ndtiff(tmp_path, [({"z": at}, picture + at) for at in range(2)])
    name = tmp_path / "acq_NDTiffStack.tif"
    name.write_bytes(name.read_bytes().replace(b'"Prefix"', b"'Prefix'"))
    image = only(path)
    assert (image.axes, image.shape) == ("czyx", (3, 2, 7, 9))
    assert (image.array.compute()[:, 1] == np.moveaxis(picture + 1, 2, 0)).all()
    assert image.scale == {"z": 1.5, "y": 0.25, "x": 0.25}


def test_an_ndtiff_with_lost_planes_and_a_cut_index_is_read_as_far_as_it_goes(
    tmp_path: Path, only
) -> None:
    expected = micromanager.pixels(2, 2, 3, 7, 9)
    every = frames(expected)
    path = micromanager.ndtiff(tmp_path, every[:2] + every[3:])
    path.write_bytes(path.read_bytes()[:-20])
    image = only(path)
    expected[0, 0, 2] = expected[1, 1, 2] = 0
    assert (image.array.compute() == expected).all()
    assert tags_of(image)["Missing planes"] == "t 1 c 1 z 3; t 2 c 2 z 3"


@pytest.mark.parametrize(
    ("offset", "value", "why"),
    [
        (0, (1 << 32) - 1, "truncated"),
        (4, 0, "claims planes of"),
        (4, 1 << 30, "claims planes of"),
        (4, 1 << 19, "truncated"),
        (12, 9, "of a kind"),
        (16, 1, "of a kind"),
    ],
)
def test_an_index_that_lies_of_a_plane_is_refused(tmp_path, refused, offset, value, why) -> None:
    path = micromanager.ndtiff(tmp_path, frames(micromanager.pixels(1, 1, 2, 7, 9)))
    data = bytearray(path.read_bytes())
    at = data.index(b".tif") + 4 + offset
    struct.pack_into("<I", data, at, value)
    path.write_bytes(data)
    assert why in refused(path)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"acq_NDTiffStack.tif", b"../NDTiffStack.tif!", "outside of its own folder"),
        (b"acq_NDTiffStack.tif", b"xxx_NDTiffStack.tif", "is missing"),
        (b'"time": 0', b'"time":1.', "is damaged"),
        (b'"time": 0', b'"time":{}', "is damaged"),
        (b'"time": 0', b'"time":0,', "is damaged"),
        (b"\0\0\0{", b"\0\0\1{", "no image that CID reads"),
        (b"\0\0\0acq", b"\0\0\1acq", "a text of"),
    ],
)
def test_an_index_that_is_damaged_is_refused(tmp_path: Path, refused, old, new, why) -> None:
    path = micromanager.ndtiff(tmp_path, frames(micromanager.pixels(1, 1, 2, 7, 9)))
    path.write_bytes(path.read_bytes().replace(old, new))
    assert why in refused(path)


def test_an_index_alone_is_kept_as_a_file_and_its_tiffs_open_without_it(tmp_path, only) -> None:
    micromanager.ndtiff(tmp_path / "a", frames(micromanager.pixels(1, 1, 2, 7, 9)))
    for file in (tmp_path / "a").glob("*.tif"):
        file.unlink()
    assert sort(tmp_path).others == ("a/NDTiff.index",)
    (tmp_path / "NDTiff.index").write_bytes(struct.pack("<I", (1 << 32) - 1) + b"{")
    micromanager.stack(tmp_path / "y.tif", {(0, 0, 0, 0): micromanager.pixels(7, 9)})
    data = bytearray((tmp_path / "y.tif").read_bytes())
    struct.pack_into("<5I", data, 8, 483729, 3, 3, 2355492, 2)
    (tmp_path / "y.tif").write_bytes(data)
    assert only(tmp_path / "y.tif").shape == (7, 9)


def test_few_files_are_open_at_once(tmp_path: Path, only, monkeypatch) -> None:
    monkeypatch.setattr("cid_server_ext.storage.readers.micromanager.ndtiff.OPEN", 1)
    expected = micromanager.pixels(2, 2, 3, 7, 9)
    image = only(micromanager.ndtiff(tmp_path, frames(expected)))
    assert (image.array.compute() == expected).all()


def test_a_link_among_the_files_is_refused(tmp_path: Path, refused) -> None:
    path = micromanager.ndtiff(tmp_path / "a", frames(micromanager.pixels(1, 1, 2, 7, 9)))
    (tmp_path / "a/acq_NDTiffStack_1.tif").rename(tmp_path / "elsewhere.tif")
    (tmp_path / "a/acq_NDTiffStack_1.tif").symlink_to(tmp_path / "elsewhere.tif")
    assert "is a link" in refused(path)
