"""DeltaVision: each order of planes in both byte orders, lens, waves and times; panels apart."""

from __future__ import annotations

import datetime as dt
import struct
from pathlib import Path
from typing import Any

import mrc
import numpy as np
import pytest

from cid_server_ext.storage.readers import open_images, sort

RANDOM = np.random.default_rng(12)
SIZE = {"t": 2, "c": 3, "z": 4, "y": 5, "x": 7}
STORED = {0: "ctz", 1: "tzc", 2: "tcz"}  # the slowest first
MODES = {"uint8": 0, "int16": 1, "float32": 2, "uint16": 6, "int32": 7}


def stack(dtype: str = "uint16", **size: int) -> np.ndarray:
    """Return pixels t, c, z, y, x."""
    return RANDOM.integers(0, 120, [*(SIZE | size).values()]).astype(dtype)


def write(
    path: Path,
    pixels: np.ndarray,
    sequence: int = 0,
    order: str = "<",
    planes: bytes = b"",
    numbers: tuple[int, int] = (0, 0),
    **fields: Any,
) -> Path:
    """Write a DeltaVision of pixels (t, c, z, y, x). fields: at_offset=(form, value ...)."""
    times, waves, depth, rows, columns = pixels.shape
    head = bytearray(1024)
    mode = MODES[pixels.dtype.name]
    struct.pack_into(f"{order}4i", head, 0, columns, rows, times * waves * depth, mode)
    struct.pack_into(f"{order}3f", head, 40, 0.1, 0.2, 0.5)
    struct.pack_into(f"{order}3i", head, 64, 1, 2, 3)
    struct.pack_into(f"{order}ih", head, 92, len(planes), -16224)
    struct.pack_into(f"{order}2h", head, 128, *numbers)
    struct.pack_into(f"{order}2h", head, 160, 0, 10612)
    struct.pack_into(f"{order}2h", head, 180, times, sequence)
    struct.pack_into(f"{order}6h", head, 196, waves, 457, 528, 617, 0, 0)
    head[224:240] = b"a slide of yeast"
    for name, (form, *values) in fields.items():
        struct.pack_into(order + form, head, int(name.removeprefix("at_")), *values)
    stored = pixels.transpose(["tcz".index(axis) for axis in STORED.get(sequence, "tcz")] + [3, 4])
    path.write_bytes(
        bytes(head) + planes + stored.astype(pixels.dtype.newbyteorder(order)).tobytes()
    )
    return path


def kept(order: str = "<", count: int = 24) -> bytes:
    """Return what is kept of each plane in the order tcz: 8 whole and 32 real numbers."""
    found = b""
    for at in range(count):
        real = np.zeros(32, f"{order}f4")
        real[1:5] = 2.5 * (at // 12), 100.5, -20, 7
        real[8], real[10], real[11] = 0.25 * (1 + at // 4 % 3), 390 + at // 4 % 3 * 100, 1
        found += bytes(32) + real.tobytes()
    return found


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("sequence", STORED)
def test_the_header_says_in_which_order_the_planes_are(
    tmp_path: Path, sequence: int, order: str, only
) -> None:
    pixels = stack()
    path = write(tmp_path / "a.dv", pixels, sequence, order)
    image = only(path)
    assert (image.axes, image.shape, image.dtype) == ("tczyx", (2, 3, 4, 5, 7), np.uint16)
    assert (image.array.compute() == pixels).all()
    with mrc.DVFile(path) as file:
        theirs = file.asarray(squeeze=False)
        place = [file.axes.index(axis) for axis in "TCZYX"]
    if order == "<":  # the package does not swap the sizes of the other
        assert (image.array.compute() == theirs.transpose(place)).all()


@pytest.mark.parametrize("dtype", MODES)
def test_each_kind_of_pixels(tmp_path: Path, dtype: str, only) -> None:
    pixels = stack(dtype)
    image = only(write(tmp_path / "noname", pixels, order=">"))
    assert image.dtype == np.dtype(dtype)
    assert (image.array.compute() == pixels).all()


def test_what_the_package_mrc_writes_is_read(tmp_path: Path, only) -> None:
    pixels = RANDOM.integers(0, 900, (4, 3, 5, 7), dtype=np.uint16)
    meta = {"dx": 0.08, "dy": 0.09, "dz": 0.25, "LensNum": 10612, "wave0": 525}
    mrc.save(pixels, str(tmp_path / "a.dv"), metadata=meta)
    image = only(tmp_path / "a.dv")
    assert (image.axes, image.shape) == ("czyx", (3, 4, 5, 7))
    assert (image.array.compute() == pixels.transpose(1, 0, 2, 3)).all()
    assert image.scale == pytest.approx({"z": 0.25, "y": 0.09, "x": 0.08})
    assert [one.get("emission") for one in image.channels] == ["525", None, None]


@pytest.mark.parametrize("order", "<>")
def test_what_softworx_says_is_told(tmp_path: Path, order: str, only) -> None:
    path = write(tmp_path / "a_D3D.dv", stack(), 2, order, planes=kept(order), numbers=(8, 32))
    image = only(path)
    told = {key: (text, size) for key, text, size in image.tags}
    assert image.scale == pytest.approx({"t": 2.5, "z": 0.5, "y": 0.2, "x": 0.1})
    assert (image.units["t"], image.units["x"]) == ("second", "micrometer")
    assert told["Objective"][0].startswith("Olympus 60X/1.42, Plan Apo N, UIS2, 1-U2B933")
    assert told["Objective"][1] == 60
    assert [one["emission"] for one in image.channels] == ["457", "528", "617"]
    assert [one["excitation"] for one in image.channels] == ["390", "490", "590"]
    for said in ("a slide of yeast", "Exposure of channel 3 (s)", "0.75", "100.5, -20, 7"):
        assert said in image.ome_xml


def test_a_lens_of_no_list_stays_unknown(tmp_path: Path, only) -> None:
    image = only(write(tmp_path / "a.dv", stack(), at_162=("h", 31999)))
    assert image.unknown["Objective"] == "the file names lens 31999, which is in no list"


def test_light_that_goes_through_has_no_wave(tmp_path: Path, only) -> None:
    image = only(write(tmp_path / "a.dv", stack(), at_198=("3h", -50, 999, 528)))
    assert [one.get("emission") for one in image.channels] == [None, None, "528"]


@pytest.mark.parametrize("order", "<>")
def test_panels_are_images_and_the_newer_header_has_a_date(tmp_path: Path, order: str) -> None:
    pixels = stack(t=3, c=1)  # ZCTP: the panel is the slowest, as time is without it
    seconds = dt.datetime(2021, 3, 4, 5, 6, 7, tzinfo=dt.UTC).timestamp()
    path = write(
        tmp_path / "a.dv",
        pixels,
        2,
        order,
        at_160=("h", 100),
        at_180=("h", 1),
        at_844=("d", seconds),
        at_880=("i", 3),
    )
    images = open_images(path)
    assert [image.name for image in images] == ["panel 1", "panel 2", "panel 3"]
    for image, own in zip(images, pixels[:, 0], strict=True):
        assert image.axes == "zyx"
        assert (image.array.compute() == own).all()
        assert ("Acquisition date", "2021-03-04T05:06:07+00:00", None) in image.tags


def test_titles_over_the_newer_header_are_no_panels(tmp_path: Path, only) -> None:
    title = b"panels have been written over by a program of before"
    path = write(tmp_path / "a.dv", stack(), at_160=("h", 100), at_864=("52s", title))
    image = only(path)
    assert image.shape == (2, 3, 4, 5, 7)
    assert "written over" in image.ome_xml


def test_more_than_five_waves_are_in_the_newer_header(tmp_path: Path, only) -> None:
    waves = ("7h", 700, 710, 0, 0, 0, 0, 0)
    path = write(tmp_path / "a.dv", stack(c=7), at_160=("h", 100), at_676=waves)
    assert [one.get("emission") for one in only(path).channels][5:] == ["700", "710"]


def test_the_log_beside_it_belongs_to_it(tmp_path: Path) -> None:
    write(tmp_path / "a.dv", stack())
    for log in ("a.dv.log", "a_log.txt", "b.dv.log"):
        (tmp_path / log).write_text("Created: yesterday")
    found = sort(tmp_path)
    assert [(one.main, one.reader) for one in found.groups] == [("a.dv", "DeltaVision")]
    assert set(found.groups[0].members) >= {"a.dv.log", "a_log.txt"}
    assert found.others == ("b.dv.log",)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"at_12": ("i", 4)}, "complex"),
        ({"at_182": ("h", 99)}, "order of its planes"),
        ({"at_180": ("h", 5)}, "24 planes are not those of 5 times"),
        ({"at_8": ("i", 24000)}, "truncated"),
        ({"at_0": ("i", 0x7FFFFFFF)}, "truncated"),
        ({"at_92": ("i", -4)}, "damaged"),
        ({"at_196": ("h", -3)}, "damaged"),
    ],
)
def test_a_header_that_lies_is_refused(
    tmp_path: Path, fields: dict[str, Any], reason: str, refused
) -> None:
    assert reason in refused(write(tmp_path / "a.dv", stack(), **fields))


def test_one_of_an_unknown_order_has_one_in_which_order_does_not_matter(
    tmp_path: Path, only
) -> None:
    pixels = stack(t=1, c=1)
    image = only(write(tmp_path / "a.dv", pixels, at_182=("h", 99)))
    assert (image.array.compute() == pixels[0, 0]).all()


def test_a_short_one_is_told_how_much_is_missing(tmp_path: Path, refused) -> None:
    path = write(tmp_path / "a.dv", stack())
    path.write_bytes(path.read_bytes()[:-100])
    assert refused(path) == "it is truncated: 100 of 2,704 bytes are missing. Copy it again"


def test_numbers_of_planes_that_are_not_there_are_unknown(tmp_path: Path, only) -> None:
    image = only(write(tmp_path / "a.dv", stack(), planes=kept(count=2), numbers=(8, 32)))
    assert "t" not in image.scale
