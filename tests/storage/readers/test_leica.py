"""LIF: every image, planes as Fiji exports them, and what LAS says of the microscope."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import ome_types
import pytest
import tifffile

from cid_server_ext.storage.readers import open_images

RANDOM = np.random.default_rng(5)


def lif(path: Path, elements: str, blocks: dict[str, bytes]) -> Path:
    """Write a LIF: `elements` are the XML of its images, `blocks` their pixels by name."""
    text = (
        '<LMSDataContainerHeader Version="2"><Element Name="project"><Memory Size="0"'
        f' MemoryBlockID="MemBlock_0"/><Children>{elements}</Children></Element>'
        "</LMSDataContainerHeader>"
    )
    header = struct.pack("<BI", 0x2A, len(text)) + text.encode("utf-16-le")
    data = struct.pack("<II", 0x70, len(header)) + header
    for name, pixels in {"MemBlock_0": b"", **blocks}.items():
        about = struct.pack("<BQBI", 0x2A, len(pixels), 0x2A, len(name)) + name.encode("utf-16-le")
        data += struct.pack("<II", 0x70, len(about)) + about + pixels
    path.write_bytes(data)
    return path


def element(name: str, axes: list[tuple[int, int, int, str]], starts: list[int], inner="") -> str:
    """Return the XML of an image: axes as (DimID, size, step, length), channels by their start."""
    dimensions = "".join(
        f'<DimensionDescription DimID="{axis}" NumberOfElements="{size}" Origin="0" Unit="m"'
        f' Length="{length}" BytesInc="{step}" BitInc="0"/>'
        for axis, size, step, length in axes
    )
    channels = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="{3 - at if len(starts) == 3 else 0}"'
        ' Resolution="8" NameOfMeasuredQuantity="" Min="0" Max="255" Unit="" LUTName="Gray"'
        f' IsLUTInverted="0" BytesInc="{start}" BitInc="0"/>'
        for at, start in enumerate(starts)
    )
    return (
        f'<Element Name="{name}"><Data><Image><ImageDescription><Channels>{channels}</Channels>'
        f"<Dimensions>{dimensions}</Dimensions></ImageDescription>{inner}</Image></Data>"
        f'<Memory Size="1" MemoryBlockID="Mem_{name}"/><Children/></Element>'
    )


def test_planes_equal_those_that_fiji_exports(real: Path) -> None:
    folder = real / "formats/lif"
    series = open_images(folder / "readlif_2channel_xz.lif")
    assert [(one.name, one.axes, one.shape) for one in series] == [
        ("xzt", "tcyx", (20, 2, 128, 128)),
        ("xzy", "czyx", (2, 23, 128, 128)),
        ("xz", "cyx", (2, 512, 512)),
    ]
    for time, channel in ((0, 0), (8, 1)):
        expected = tifffile.imread(folder / f"expected/xz_c{channel}_t{time}.tif")
        assert (series[0].array[time, channel].compute() == expected).all()


def test_what_las_x_says_is_told(real: Path) -> None:
    xzt, xzy, _ = open_images(real / "formats/lif/readlif_2channel_xz.lif")
    tags = {key: text for key, text, _ in xzt.tags}
    assert tags["Objective"].startswith("HC PL APO CS2 63x/1.30 GLYC")
    assert tags["Microscope"] == "Leica Microsystems TCS SP8 DMI6000B-CS"
    assert tags["Acquisition software"] == "LAS X 3.5.7.23225"
    assert tags["Acquisition date"].startswith("2021-03-04T16:39:17.951")
    assert tags["Lasers"] == "WLL 488 nm; WLL 552 nm"
    assert tags["Tube/Detector"] == "HyD 1; HyD 3"
    assert "493-541 nm" in tags["Filters"]
    assert set(xzt.unknown) == {"User"}
    assert xzt.scale == pytest.approx({"t": 0.53, "y": 0.140279, "x": 0.140280}, rel=1e-5)
    assert xzy.scale["z"] == pytest.approx(0.22906, rel=1e-4)
    assert [(one["name"], one["color"]) for one in xzt.channels] == [
        ("FITC", "00FF00"),
        ("TRITC", "FF0000"),
    ]
    ome = ome_types.from_xml(xzt.ome_xml or "")
    assert [laser.wavelength for laser in ome.instruments[0].lasers] == [488, 552]
    (note,) = ome.structured_annotations.map_annotations
    kept = {pair.k: pair.value for pair in note.value.ms}
    assert kept["ATLConfocalSettingDefinition/ScanMode"] == "xzt"


def test_tiles_spectra_and_stacks_of_any_order(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 255, (3, 2, 4, 5, 6, 7), dtype=np.uint8)  # tile c wave z y x
    steps = pixels.strides
    axes = [(1, 7, 1, "6e-6"), (2, 6, 7, "10e-6"), (3, 5, steps[3], "8e-6")]
    axes += [(5, 4, steps[2], "30e-9"), (10, 3, steps[0], "0")]
    path = lif(tmp_path / "a.lif", element("m", axes, [0, steps[1]]), {"Mem_m": pixels.tobytes()})
    tiles = open_images(path)
    assert [one.name for one in tiles] == ["m tile 1", "m tile 2", "m tile 3"]
    for at, one in enumerate(tiles):
        assert (one.axes, one.shape) == ("czyx", (8, 5, 6, 7))
        assert (one.array.compute() == pixels[at].reshape(8, 5, 6, 7)).all()
        assert (one.array[3, 1:4, 2:5, ::3].compute() == pixels[at, 0, 3, 1:4, 2:5, ::3]).all()
    assert [one["name"] for one in tiles[0].channels][1] == "10 nm"
    assert tiles[0].scale == pytest.approx({"z": 2.0, "y": 2.0, "x": 1.0})


def test_a_colour_camera_gives_red_green_and_blue(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 255, (6, 7, 3), dtype=np.uint8)
    axes = [(1, 7, 3, "1e-6"), (2, 6, 24, "1e-6")]  # lines are padded to 24 bytes
    padded = np.zeros((6, 24), np.uint8)
    padded[:, :21] = pixels.reshape(6, 21)
    (image,) = open_images(
        lif(tmp_path / "a.lif", element("c", axes, [0, 1, 2]), {"Mem_c": padded.tobytes()})
    )
    assert [one["name"] for one in image.channels] == ["Blue", "Green", "Red"]
    assert (image.array.compute() == np.moveaxis(pixels, -1, 0)).all()


def lof(path: Path, text: str, pixels: bytes) -> Path:
    """Write a LOF: one image, its XML after its pixels."""
    name = "LMS_Object_File".encode("utf-16-le")
    words = text.encode("utf-16-le")
    head = struct.pack("<IIBI", 0x70, 0, 0x2A, 15) + name + struct.pack("<BIBI", 0x2A, 2, 0x2A, 0)
    about = struct.pack("<IIBI", 0x70, len(words) + 5, 0x2A, len(text))
    path.write_bytes(head + struct.pack("<BQ", 0x2A, len(pixels)) + pixels + about + words)
    return path


def test_a_lof_is_one_image(tmp_path: Path, refused) -> None:
    pixels = RANDOM.integers(0, 255, (6, 7), dtype=np.uint8)
    inner = element("one", [(1, 7, 1, "6e-6"), (2, 6, 7, "5e-6")], [0])
    text = f'<LMSDataContainerHeader Version="2">{inner}</LMSDataContainerHeader>'
    (image,) = open_images(lof(tmp_path / "a.lof", text, pixels.tobytes()))
    assert (image.name, image.axes) == ("one", "yx")
    assert (image.array.compute() == pixels).all()
    declared = '<!DOCTYPE a [<!ENTITY x "y">]>' + text
    assert "entities" in refused(lof(tmp_path / "b.lof", declared, pixels.tobytes()))


def test_a_header_that_promises_more_than_its_block_is_refused(tmp_path: Path, refused) -> None:
    axes = [(1, 7, 1, "1e-6"), (2, 600, 7, "1e-6")]
    assert "promises more" in refused(
        lif(tmp_path / "a.lif", element("m", axes, [0]), {"Mem_m": b"0" * 42})
    )


def test_a_header_with_entities_is_refused(tmp_path: Path, refused) -> None:
    text = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    header = struct.pack("<BI", 0x2A, len(text)) + text.encode("utf-16-le")
    path = tmp_path / "a.lif"
    path.write_bytes(struct.pack("<II", 0x70, len(header)) + header)
    assert "entities" in refused(path)


@pytest.mark.parametrize("tenths", range(10))
def test_a_lif_cut_anywhere_is_refused(real: Path, tmp_path: Path, tenths: int, refused) -> None:
    data = (real / "formats/lif/readlif_2channel_xz.lif").read_bytes()
    path = tmp_path / "a.lif"
    path.write_bytes(data[: len(data) * tenths // 10 + 20])
    refused(path)
