"""MRC: modes, byte orders, stored axes, tilt angles and calibration; what cannot be is refused."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
from mrcfile.dtypes import get_ext_header_dtype

from cid_server_ext.storage.readers import open_images, sort

RANDOM = np.random.default_rng(11)


def volume(dtype: Any, shape: tuple[int, ...] = (3, 5, 7)) -> np.ndarray:
    return RANDOM.integers(0, 120, shape).astype(dtype)


def write(path: Path, pixels: np.ndarray, **header: Any) -> Path:
    """Write an MRC with mrcfile, then change fields of its header."""
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(pixels)
        file.voxel_size = header.pop("voxel", 0)
        for label in header.pop("labels", ()):
            file.add_label(label)
        for name, value in header.items():
            file.header[name] = value
    return path


def swapped(path: Path, itemsize: int) -> Path:
    """Turn an MRC without extended header into the other byte order."""
    data = bytearray(path.read_bytes())
    for start, end in ((0, 104), (108, 112), (196, 208), (216, 224)):
        words = np.frombuffer(bytes(data[start:end]), "<u4")
        data[start:end] = words.astype(">u4").tobytes()
    data[212:216] = b"\x11\x11\0\0"
    pixels = np.frombuffer(bytes(data[1024:]), f"<u{itemsize}")
    data[1024:] = pixels.astype(f">u{itemsize}").tobytes()
    path.write_bytes(data)
    return path


def put(path: Path, place: int, form: str, *values: Any) -> Path:
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, place, *values)
    path.write_bytes(data)
    return path


def told(image: Any) -> dict[str, str]:
    return {key: text for key, text, _ in image.tags}


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("dtype", ["int8", "int16", "float32", "uint16", "float16"])
def test_each_mode_in_both_byte_orders(tmp_path: Path, dtype: str, big: bool, only) -> None:
    pixels = volume(dtype)
    path = write(tmp_path / "a.mrc", pixels)
    if big:
        swapped(path, pixels.itemsize)
    image = only(path)
    assert (image.axes, image.shape) == ("zyx", (3, 5, 7))
    assert image.dtype == np.dtype("float32" if dtype == "float16" else dtype)
    assert (image.array.compute() == pixels).all()
    with mrcfile.open(path) as file:
        assert (image.array.compute() == file.data).all()


def test_it_is_known_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    write(tmp_path / "a.mrc", volume("int16")).rename(tmp_path / "noname")
    (tmp_path / "b.mrc").write_bytes(b"no microscope wrote this" * 99)
    found = sort(tmp_path)
    assert [(group.main, group.reader) for group in found.groups] == [("noname", "MRC")]
    assert found.others == ("b.mrc",)


def test_one_of_before_2000_has_no_map_in_its_header(tmp_path: Path, only) -> None:
    pixels = volume("int16")
    path = write(tmp_path / "a.st", pixels)
    data = bytearray(path.read_bytes())
    data[196:216] = bytes(20)
    path.write_bytes(data)
    assert (only(path).array.compute() == pixels).all()


def test_a_wrong_stamp_does_not_mislead(tmp_path: Path, only) -> None:
    pixels = volume("int16")
    path = put(write(tmp_path / "a.mrc", pixels), 212, "4B", 0x11, 0x11, 0, 0)
    assert (only(path).array.compute() == pixels).all()


@pytest.mark.parametrize(("flags", "dtype"), [(0, "uint8"), (1, "int8")])
def test_imod_says_if_bytes_have_a_sign(tmp_path: Path, flags: int, dtype: str, only) -> None:
    path = write(tmp_path / "a.mrc", volume("int8"))
    image = only(put(path, 152, "<2i", 1146047817, flags))
    assert image.dtype == np.dtype(dtype)


def test_bytes_above_127_have_no_sign(tmp_path: Path, only) -> None:
    pixels = RANDOM.integers(0, 256, (3, 5, 7), dtype=np.uint8)
    path = write(tmp_path / "a.mrc", pixels.view(np.int8), dmin=0, dmax=255)
    assert (only(path).array.compute() == pixels).all()


def test_angstrom_become_micrometers(tmp_path: Path, only) -> None:
    path = write(tmp_path / "a.mrc", volume("int16"), voxel=(5.4, 6.5, 12))
    image = only(path)
    assert image.scale == pytest.approx({"x": 0.00054, "y": 0.00065, "z": 0.0012})
    assert set(image.units.values()) == {"micrometer"}
    assert only(write(tmp_path / "b.mrc", volume("int16"))).scale == {}


def test_volumes_of_a_stack_are_time_points(tmp_path: Path, only) -> None:
    pixels = volume("int16", (2, 3, 5, 7))
    path = write(tmp_path / "a.mrc", pixels, voxel=4)
    image = only(path)
    assert (image.axes, image.shape) == ("tzyx", (2, 3, 5, 7))
    assert (image.array.compute() == pixels).all()


def test_pictures_of_a_stack_are_z_without_a_distance(tmp_path: Path, only) -> None:
    path = write(tmp_path / "a.mrc", volume("int16"), voxel=4, ispg=0, mz=1)
    image = only(path)
    assert (image.axes, set(image.scale)) == ("zyx", {"y", "x"})


@pytest.mark.parametrize(("stored", "order"), [((3, 2, 1), (2, 1, 0)), ((2, 1, 3), (0, 2, 1))])
def test_a_map_with_other_axes_is_turned(tmp_path: Path, stored: Any, order: Any, only) -> None:
    pixels = volume("float32")
    column, row, section = stored
    path = write(tmp_path / "a.map", pixels, mapc=column, mapr=row, maps=section)
    image = only(path)
    assert image.axes == "zyx"
    assert (image.array.compute() == pixels.transpose(order)).all()


def test_labels_are_kept_and_serialem_tells_the_date(tmp_path: Path, only) -> None:
    label = "SerialEM: Digitized on some camera       14-Mar-19  12:34:56"
    image = only(write(tmp_path / "a.st", volume("int16"), labels=["made for this", label]))
    assert "made for this" in image.ome_xml
    assert told(image)["Acquisition software"] == "SerialEM"
    assert told(image)["Acquisition date"] == "2019-03-14T12:34:56"


def test_tilt_angles_of_serialem(tmp_path: Path, only) -> None:
    path = write(tmp_path / "a.st", volume("int16"), voxel=4)
    data = path.read_bytes()
    more = b"".join(struct.pack("<hhh", tilt, 9, 9) for tilt in (-6000, 0, 6050))
    path.write_bytes(data[:1024] + more + data[1024:])
    put(path, 92, "<i", len(more))
    image = only(put(path, 128, "<2h", 6, 1 | 4))
    assert told(image)["Tilt angles"] == "-60 to 60.5 degrees, 3 images"
    assert "-60, 0, 60.5" in image.ome_xml
    assert set(image.scale) == {"y", "x"}


@pytest.mark.parametrize("kind", [b"FEI1", b"FEI2"])
def test_fei_tells_microscope_and_tilt(tmp_path: Path, kind: bytes, only) -> None:
    pixels = volume("int16")
    more = np.zeros(3, get_ext_header_dtype(kind, "<"))
    more["Metadata size"] = more.itemsize
    more["Alpha tilt"] = (-40, -38, -36)
    more["Pixel size X"] = more["Pixel size Y"] = 2.5e-10
    more["Microscope type"], more["Camera name"] = b"Krios G4", b"Falcon 4i"
    more["Application"], more["Application version"], more["HT"] = b"Tomo", b"5.9", 300000
    path = tmp_path / "a.mrc"
    with mrcfile.new(path) as file:
        file.set_data(pixels)
        file.set_extended_header(more)
        file.header.exttyp = kind
    image = only(path)
    assert (image.array.compute() == pixels).all()
    assert image.scale == pytest.approx({"y": 0.00025, "x": 0.00025})
    assert told(image)["Tilt angles"] == "-40 to -36 degrees, 3 images"
    assert told(image)["Microscope"] == "Krios G4"
    assert told(image)["Acquisition software"] == "Tomo 5.9"
    assert told(image)["Tube/Detector"] == "Falcon 4i"


@pytest.mark.parametrize(("mode", "kind"), [(3, "complex"), (4, "complex"), (101, "4 bits")])
def test_what_are_no_plain_numbers_is_refused(
    tmp_path: Path, mode: int, kind: str, refused
) -> None:
    assert kind in refused(write(tmp_path / "a.mrc", volume("int16"), mode=mode))


def test_a_short_one_is_told_how_much_is_missing(tmp_path: Path, refused) -> None:
    path = write(tmp_path / "a.mrc", volume("int16"))
    path.write_bytes(path.read_bytes()[:-50])
    assert refused(path) == "it is truncated: 50 of 1,234 bytes are missing. Copy it again"


@pytest.mark.parametrize("place", [0, 4, 8, 92])
@pytest.mark.parametrize("value", [0, -1, 0x7FFFFFFF])
def test_a_header_that_lies_is_refused_or_harmless(
    tmp_path: Path, place: int, value: int, refused
) -> None:
    path = put(write(tmp_path / "a.mrc", volume("int16")), place, "<i", value)
    if (place, value) == (92, 0):  # no extended header, as there is none
        assert open_images(path)[0].shape == (3, 5, 7)
    else:
        assert refused(path)


def test_a_large_plane_is_read_by_windows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mrc", np.zeros((2, 3, 4), np.int8))
    put(path, 0, "<3i", 20000, 20000, 1)
    with path.open("r+b") as file:
        file.truncate(1024 + 20000 * 20000)
        file.seek(1024 + 19999 * 20000 + 19998)
        file.write(b"\7")
    (image,) = open_images(path)
    assert image.array.chunksize == (2048, 2048)
    assert image.array[19998:, 19997:].compute().tolist() == [[0, 0, 0], [0, 7, 0]]
