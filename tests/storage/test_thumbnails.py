"""A thumbnail shows what there is, and draws anything."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cid_server_ext.storage import omezarr, thumbnails
from cid_server_ext.storage.readers.source import RGB


def drawn(source, folder: Path, kind: str = "image") -> np.ndarray:
    store = folder / "image.ome.zarr"
    store.mkdir()
    omezarr.write(source, store, kind)
    picture = Image.open(io.BytesIO(thumbnails.draw(store)))
    assert picture.format == "PNG"
    assert max(picture.size) <= 256
    return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize(
    ("axes", "shape", "size"),
    [
        ("yx", (1, 1), (1, 1)),
        ("yx", (256, 100), (256, 100)),
        ("cyx", (2, 300, 600), (128, 256)),
        ("tczyx", (2, 2, 3, 40, 30), (40, 30)),
        ("yx", (2000, 3), (256, 1)),
    ],
)
def test_it_is_small_and_keeps_its_proportions(make, tmp_path, axes, shape, size) -> None:
    image = np.random.default_rng(1).integers(0, 99, shape, dtype=np.uint16)
    assert drawn(make(image, axes), tmp_path).shape[:2] == size


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((50, 50), np.uint16),
        np.full((50, 50), 65535, np.uint16),
        np.full((50, 50), np.nan, np.float32),
        np.full((50, 50), np.inf, np.float64),
        np.full((50, 50), -1e300),
        np.array([[np.nan, np.inf], [-np.inf, 1.0]]),
        np.array([[-1.7e308, 1.7e308]]),
        np.ones((1, 1), bool),
        np.full((20, 20), np.iinfo(np.int64).min),
        np.full((20, 20), np.iinfo(np.uint64).max),
    ],
)
def test_anything_can_be_drawn(make, tmp_path: Path, image: np.ndarray) -> None:
    assert drawn(make(image, "yx"), tmp_path).size > 0


def test_one_channel_is_grey_and_stretched(make, tmp_path: Path) -> None:
    ramp = np.tile(np.arange(1000, 1200, dtype=np.uint16), (100, 1))
    picture = drawn(make(ramp, "yx"), tmp_path)
    assert (picture[..., 0] == picture[..., 2]).all()
    assert picture.min() == 0
    assert picture.max() == 255


def test_channels_are_mixed_in_their_colours(make, tmp_path: Path) -> None:
    image = np.zeros((2, 100, 100), np.uint16)
    image[0, :50], image[1, :, :50] = 500, 900
    told = ({"name": "a", "color": "FF0000"}, {"name": "b", "color": "0000FF"})
    picture = drawn(make(image, "cyx", channels=told), tmp_path)
    assert picture[10, 80].tolist() == [255, 0, 0]
    assert picture[80, 10].tolist() == [0, 0, 255]
    assert picture[10, 10].tolist() == [255, 0, 255]
    assert picture[80, 80].tolist() == [0, 0, 0]


def test_a_colour_picture_keeps_its_hue(make, tmp_path: Path) -> None:
    image = np.zeros((3, 64, 64), np.uint8)
    image[0], image[1], image[2] = 200, 150, 100
    image[:, :4] = 0
    image[:, -4:] = 250
    picture = drawn(make(image, "cyx", channels=RGB[:3]), tmp_path).astype(int)
    red, green, blue = picture[30, 30]
    assert red > green > blue > 0


def test_an_object_in_one_plane_of_a_stack_is_seen(make, tmp_path: Path) -> None:
    stack = np.zeros((21, 100, 100), np.uint16)
    stack[2, 40:60, 40:60] = 1000
    assert drawn(make(stack, "zyx"), tmp_path)[50, 50].tolist() == [255, 255, 255]


def test_objects_have_colours_that_differ_and_stay(make, tmp_path: Path) -> None:
    labels = np.zeros((100, 100), np.uint32)
    for number in range(1, 10):
        labels[number * 10 : number * 10 + 8] = number
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = drawn(make(labels, "yx"), tmp_path / "a", "labels")
    alone = drawn(make(np.where(labels == 4, labels, 0), "yx"), tmp_path / "b", "labels")
    assert first[2, 2].tolist() == [0, 0, 0]
    colours = {tuple(first[number * 10 + 2, 5]) for number in range(1, 10)}
    assert len(colours) == 9
    assert min(max(colour) for colour in colours) > 80
    assert (alone[42, 5] == first[42, 5]).all()
