"""OIF: a folder of TIFFs in the order that FluoView names them, and its settings' words."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import ome_types
import pytest
import tifffile

from cid_server_ext.errors import BadFile
from cid_server_ext.storage.readers import open_images, sort
from cid_server_ext.storage.readers.olympus import oif

PIXELS = np.random.default_rng(6).integers(0, 4095, (2, 2, 3, 20, 30), dtype=np.uint16)  # t c z y x


def text(path: Path, sections: dict[str, dict[str, object]], tail: bytes = b"") -> None:
    lines = []
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key}={value}" for key, value in values.items())]
    path.write_bytes(b"\xff\xfe" + ("\r\n".join(lines) + "\r\n").encode("utf-16-le") + tail)


def axis(code: str, size: int, unit: str, end: float, step: float = 0) -> dict[str, object]:
    return {
        "AxisCode": f'"{code}"',
        "MaxSize": size,
        "UnitName": f'"{unit}"',
        "StartPosition": 0,
        "EndPosition": end,
        "Interval": step,
    }


def an_oif(folder: Path) -> Path:
    """Write an OIF of two times, two channels and three depths."""
    main = folder / "cells [1].oif"
    files = folder / "cells [1].oif.files"
    files.mkdir()
    channel = {
        "CH Name": '"CH1"',
        "DyeName": '"Alexa Fluor 488"',
        "ExcitationWavelength": 488,
        "EmissionWavelength": 519,
        "BF Name": '"BA505-525"',
        "ExcitationDM Name": '"DM488/543"',
        "AnalogPMTVoltage": 600,
        "LightType": '"Fluorescence"',
        "Confocal": '"ON"',
    }
    text(
        main,
        {
            "Acquisition Parameters Common": {"ImageCaputreDate": "'2012-07-26 15:13:35'"},
            "Axis Parameter Common": {"AxisOrder": '"XYCZT"'},
            "Axis 0 Parameters Common": axis("X", 30, "um", 3.0),
            "Axis 1 Parameters Common": axis("Y", 20, "um", 2.0),
            "Axis 2 Parameters Common": axis("C", 2, "Ch", 2),
            "Axis 3 Parameters Common": axis("Z", 3, "nm", 1000, 500),
            "Axis 4 Parameters Common": axis("T", 2, "ms", 2000, 2000),
            "Channel 1 Parameters": channel,
            "Channel 2 Parameters": {**channel, "CH Name": '"CH2"', "DyeName": '"None"'},
            "File Info": {"UserName": '"a.b"'},
            "Laser 1 Parameters": {"Laser Enable": 1, "LaserWavelength": 488},
            "Laser 2 Parameters": {"Laser Enable": 0, "LaserWavelength": 543},
            "ProfileSaveInfo": {"Name": '"COFAImages"', "Version": '"2.0"'},
            "Reference Image Parameter": {
                "ValidBitCounts": 12,
                "WidthConvertValue": 0.1,
                "WidthUnit": '"um"',
                "HeightConvertValue": 0.1,
                "HeightUnit": '"um"',
            },
            "Version Info": {
                "SystemName": '"FLUOVIEW FV1000"',
                "SystemVersion": '"2.1.2.5"',
            },
        },
    )
    for t, c, z in np.ndindex(2, 2, 3):
        stem = f"s_C{c + 1:03d}Z{z + 1:03d}T{t + 1:03d}"
        tifffile.imwrite(files / f"{stem}.tif", PIXELS[t, c, z])
        lens = {"ObjectiveLens Name": '"UPLSAPO 60X W NA:1.20"', "ObjectiveLens NAValue": '"1.2"'}
        common = {**lens, "Magnification": 60.0}
        text(files / f"{stem}.pty", {"Acquisition Parameters Common": common})
    tifffile.imwrite(files / "s_C001Z001-R001.tif", PIXELS[0, 0, 0])  # a picture of reference
    table = np.zeros((4, 4), np.uint8)
    table[-1, 1] = 255
    data = "[ColorLUTData]\r\n".encode("utf-16-le") + table.tobytes()
    text(files / "s_LUT1.lut", {"Blue": {"Gamma": 100}}, data)
    return main


def oib(main: Path, path: Path) -> Path:
    """Put an OIF and its folder into a compound file, its streams one after the other."""
    files = sorted((main.parent / f"{main.name}.files").iterdir())
    named = {f"Stream{at:05d}": file for at, file in enumerate([main, *files])}
    info = info_of(path, named, main)
    streams = {"OibInfo.txt": info, **{name: file.read_bytes() for name, file in named.items()}}
    chain, entries, body, sector = [], [], b"", 0
    for data in streams.values():
        count = -(-len(data) // 512)
        chain += [*range(sector + 1, sector + count), 0xFFFFFFFE]
        entries.append((sector, len(data)))
        body += data.ljust(count * 512, b"\0")
        sector += count
    table = entry("Root Entry", 5, child=1)
    for at, (name, (start, size)) in enumerate(zip(streams, entries, strict=True), 1):
        table += entry(name, 2, right=at + 1 if at < len(streams) else NONE, start=start, size=size)
    table = table.ljust(-(-len(table) // 512) * 512, b"\0")
    chain += [*range(sector + 1, sector + len(table) // 512), 0xFFFFFFFE]
    first, fat = sector, sector + len(table) // 512
    length = -(-(len(chain) + 8) // 128)  # sectors of the table of chains, its own among them
    chain += [0xFFFFFFFD] * length
    chain += [NONE] * (128 * length - len(chain))
    head = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII",
        oif.OIB,
        b"",
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        0,
        length,
        first,
        0,
        0,
        0xFFFFFFFE,
        0,
        0xFFFFFFFE,
        0,
    )
    places = [*range(fat, fat + length), *([NONE] * (109 - length))]
    path.write_bytes(
        head + struct.pack("<109I", *places) + body + table + struct.pack(f"<{len(chain)}I", *chain)
    )
    return path


NONE = 0xFFFFFFFF


def entry(name: str, kind: int, right=NONE, child=NONE, start=0xFFFFFFFE, size=0) -> bytes:
    words = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII36xIQ", words, len(words) + 2, kind, 1, NONE, right, child, start, size
    )


def info_of(path: Path, named: dict[str, Path], main: Path) -> bytes:
    folder = {name: f"Storage00001/{file.name}" for name, file in named.items() if file != main}
    values = {"Name": '"x"', "Version": '"2.0"', "MainFileName": '"Stream00000"'}
    values |= {"Storage00001": f'"{main.name}.files"', "Stream00000": f'"{main.name}"'}
    text(path, {"OibSaveInfo": {**values, **{k: f'"{v}"' for k, v in folder.items()}}})
    return path.read_bytes()


def test_an_oib_is_what_its_oif_is(tmp_path: Path) -> None:
    main = an_oif(tmp_path)
    (image,) = open_images(oib(main, tmp_path / "a.oib"))
    (other,) = open_images(main)
    assert (image.array.compute() == PIXELS).all()
    assert (image.axes, image.scale, image.channels, image.tags) == (
        other.axes,
        other.scale,
        other.channels,
        other.tags,
    )


@pytest.mark.parametrize("tenths", range(10))
def test_an_oib_cut_anywhere_is_refused(tmp_path: Path, tenths: int, refused) -> None:
    path = oib(an_oif(tmp_path), tmp_path / "a.oib")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * tenths // 10 + 9])
    refused(path)


def test_planes_come_from_where_their_names_say(tmp_path: Path) -> None:
    (image,) = open_images(an_oif(tmp_path))
    assert (image.axes, image.shape, image.dtype) == ("tczyx", PIXELS.shape, np.uint16)
    assert (image.array.compute() == PIXELS).all()
    assert image.scale == pytest.approx({"t": 2.0, "z": 0.5, "y": 0.1, "x": 0.1})


def test_what_fluoview_says_is_told(tmp_path: Path) -> None:
    (image,) = open_images(an_oif(tmp_path))
    told = {key: text for key, text, _ in image.tags}
    assert told["Acquisition software"] == "FLUOVIEW FV1000 2.1.2.5"
    assert told["Acquisition date"] == "2012-07-26T15:13:35"
    assert told["Objective"].startswith("UPLSAPO 60X W NA:1.20")
    assert told["Lasers"] == "488 nm"
    assert told["Filters"] == "BA505-525; DM488/543"
    assert told["Tube/Detector"] == "PMT CH1; PMT CH2"
    assert told["User"] == "a.b"
    assert [one["name"] for one in image.channels] == ["Alexa Fluor 488", "CH2"]
    assert image.channels[0]["color"] == "00FF00"
    ome = ome_types.from_xml(image.ome_xml or "")
    assert ome.instruments[0].objectives[0].immersion.value == "Water"
    assert ome.instruments[0].detectors[0].voltage == 600


def test_its_folder_belongs_to_it(tmp_path: Path) -> None:
    main = an_oif(tmp_path)
    found = sort(tmp_path)
    assert not found.others
    (group,) = found.groups
    assert group.main == main.name
    assert len(group.members) == len(list((tmp_path / f"{main.name}.files").iterdir()))


def test_without_its_folder_it_is_refused(tmp_path: Path, refused) -> None:
    main = an_oif(tmp_path)
    (tmp_path / f"{main.name}.files").rename(tmp_path / "elsewhere")
    assert "upload both together" in refused(main)


def test_a_missing_depth_is_refused_and_an_unfinished_time_left_out(
    tmp_path: Path, refused
) -> None:
    main = an_oif(tmp_path)
    folder = tmp_path / f"{main.name}.files"
    (folder / "s_C002Z003T002.tif").unlink()
    (image,) = open_images(main)
    assert image.axes == "czyx"
    assert image.tags[-1][0] == "Missing time points"
    assert (image.array.compute() == PIXELS[0]).all()
    (folder / "s_C001Z002T001.tif").unlink()
    assert "missing" in refused(main)


def test_links_in_its_folder_are_not_followed(tmp_path: Path, refused) -> None:
    main = an_oif(tmp_path)
    plane = tmp_path / f"{main.name}.files" / "s_C001Z001T001.tif"
    plane.rename(tmp_path / "other.tif")
    plane.symlink_to(tmp_path / "other.tif")
    assert "no plain file" in refused(main)


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_plane_cut_anywhere_is_refused(tmp_path: Path, tenths: int, refused) -> None:
    main = an_oif(tmp_path)
    plane = tmp_path / f"{main.name}.files" / "s_C001Z002T001.tif"
    data = plane.read_bytes()
    plane.write_bytes(data[: len(data) * tenths // 10])
    refused(main)


def test_a_compound_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.oib"
    path.write_bytes(oif.OIB + bytes(3000))
    with pytest.raises(BadFile, match="truncated or damaged"):
        oif.open_olympus(path)
