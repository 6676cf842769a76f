"""VSI: told by its name, its pixels in a folder beside it, counted before they are believed."""

from __future__ import annotations

import json
import struct
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cid_server_ext.storage.readers import open_images, sort

PIXELS = np.random.default_rng(8).integers(0, 4095, (2, 3, 20, 30), dtype=np.uint16)  # c z y x


class Scene:
    """A scene as slideio gives it, over PIXELS."""

    rect = (0, 0, 30, 20)
    num_channels, num_z_slices, num_t_frames = 2, 3, 1
    resolution, z_resolution, t_resolution, magnification = (1e-7, 1e-7), 5e-7, 0.0, 60.0

    def __init__(self, name: str) -> None:
        self.name = name

    def get_channel_name(self, at: int) -> str:
        return ("DAPI", "FITC")[at]

    def get_channel_data_type(self, at: int) -> str:
        return "uint16"

    def read_block(self, rect, size, channels, slices, frames):
        x, y, width, height = rect
        assert size == (width, height)
        return PIXELS[channels[0], slices[0], y : y + height, x : x + width]


def tag(name: str, value: object) -> dict[str, object]:
    return {"name": name, "tag": 1, "secondTag": -1, "value": value}


def device(kind: int, model: str, *more: dict[str, object]) -> dict[str, object]:
    held = [tag("Device Subtype", str(kind)), tag("Device Model", model), *more]
    return tag("Unknown tag", held)


WORDS = tag(
    "root",
    [
        tag(
            "Document properties", [tag("Product Name", "cellSens"), tag("Product Version", "3.1")]
        ),
        tag(
            "Multidimensional image volume",
            [
                tag("Stack name", "001 C405"),
                tag("Creation time", "31-05-2021 14-58-55"),
                device(0, "ORCA-Fusion"),
                device(40500, "IX83"),
                device(20000, "Nosepiece", tag("Numerical Aperture", "1.42")),
                device(20002, "Wheel", tag("Objective Name", "B447/60")),
                device(20016, "405 nm"),
                tag(
                    "Channel properties",
                    [
                        tag("Channel name", "DAPI"),
                        tag("Channel Wavelength ", [tag("Value", "455.0")]),
                        tag(
                            "Stack display LUT",
                            [tag("Value", "red = 0, green = 0, blue = 255 [256 entries]")],
                        ),
                    ],
                ),
            ],
        ),
    ],
)


@pytest.fixture
def cells(tmp_path: Path, monkeypatch) -> Path:
    """A VSI with its folder, and a slideio that reads it: no library writes the format."""
    path = tmp_path / "cells.vsi"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8))  # the overview
    folder = tmp_path / "_cells_" / "stack1"
    folder.mkdir(parents=True)
    places = [(0, 0, z, c, 0) for c in range(2) for z in range(3)]
    head = struct.pack("<4sIIIQQQI4x", b"SIS\0", 64, 3, 5, 64, 0, 64, len(places))
    table = b"".join(struct.pack("<I5iQII", 0, *place, 60, 4, 0) for place in places)
    (folder / "frame_t_0.ets").write_bytes(head.ljust(64, b"\0") + table)
    scenes = [Scene("Overview"), Scene("001 C405"), Scene("Label")]
    slide = types.SimpleNamespace(
        num_scenes=len(scenes), get_scene=lambda at: scenes[at], raw_metadata=json.dumps(WORDS)
    )
    slideio = types.ModuleType("slideio")
    slideio.set_log_level = lambda level: None
    slideio.open_slide = lambda name, driver: slide
    monkeypatch.setitem(sys.modules, "slideio", slideio)
    return path


def test_depths_and_channels_are_read_and_no_label_or_overview(cells: Path) -> None:
    (image,) = open_images(cells)
    assert (image.name, image.axes, image.shape) == ("001 C405", "czyx", PIXELS.shape)
    assert (image.array.compute() == PIXELS).all()
    assert image.scale == pytest.approx({"z": 0.5, "y": 0.1, "x": 0.1})


def test_what_cellsens_says_is_told(cells: Path) -> None:
    (image,) = open_images(cells)
    told = {key: text for key, text, _ in image.tags}
    assert told["Acquisition software"] == "cellSens 3.1"
    assert told["Acquisition date"] == "2021-05-31T14:58:55"
    assert told["Microscope"] == "Olympus IX83"
    assert told["Tube/Detector"] == "ORCA-Fusion"
    assert told["Filters"] == "B447/60"
    assert told["Lasers"] == "405 nm"
    assert "NA 1.42" in told["Objective"]
    assert image.channels[0] == {"name": "DAPI", "color": "0000FF", "emission": "455"}


def test_its_folder_belongs_to_it(cells: Path) -> None:
    found = sort(cells.parent)
    assert not found.others
    (group,) = found.groups
    assert (group.main, set(group.members)) == ("cells.vsi", {"_cells_/stack1/frame_t_0.ets"})


def test_without_its_folder_it_is_refused(cells: Path, refused, monkeypatch) -> None:
    (cells.parent / "_cells_").rename(cells.parent / "elsewhere")
    empty = types.SimpleNamespace(num_scenes=0, raw_metadata="")
    monkeypatch.setattr(sys.modules["slideio"], "open_slide", lambda name, driver: empty)
    assert "upload both together" in refused(cells)


def test_fewer_planes_than_its_tiles_make_are_refused(cells: Path, refused, monkeypatch) -> None:
    monkeypatch.setattr(Scene, "num_z_slices", 1)  # as when the list of its axes is damaged
    assert "tells of 2 planes" in refused(cells)


@pytest.mark.parametrize("tenths", range(10))
def test_an_ets_cut_anywhere_is_refused(cells: Path, tenths: int, refused) -> None:
    (ets,) = cells.parent.rglob("*.ets")
    data = ets.read_bytes()
    ets.write_bytes(data[: len(data) * tenths // 10])
    assert "damaged" in refused(cells)


def test_links_in_its_folder_are_not_followed(cells: Path, refused) -> None:
    (cells.parent / "_cells_" / "stack2").symlink_to("/etc")
    assert "link" in refused(cells)
