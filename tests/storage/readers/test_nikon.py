"""ND2: frames where the map says, positions as images, damage found by the names of chunks."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import nd2
import numpy as np
import pytest

from cid_server_ext.storage.readers import open_images

PIXELS = np.random.default_rng(9).integers(0, 4095, (2, 3, 21, 31, 2), dtype=np.uint16)  # p z y x c
MAGIC = 0x0ABECEDA
KINDS = {bool: "bool", int: "lx_uint32", float: "double", str: "CLxStringW"}


def xml(name: str, value: Any) -> str:
    if isinstance(value, dict):
        inner = "".join(xml(key, one) for key, one in value.items())
        return f'<{name} runtype="CLxListVariant">{inner}</{name}>'
    shown = str(value).lower() if isinstance(value, bool) else value
    shown = str(shown).replace("\r\n", "&#13;&#10;")
    return f'<{name} runtype="{KINDS[type(value)]}" value="{shown}"/>'


def variant(values: dict[str, Any]) -> bytes:
    text = "".join(xml(key, one) for key, one in values.items())
    return f'<variant version="1.0">{text}</variant>'.encode()


def chunk(name: bytes, data: bytes, room: int = 0) -> bytes:
    head = struct.pack("<IIQ", MAGIC, max(len(name), room), len(data))
    return head + name.ljust(max(len(name), room), b"\0") + data


def described(colour: bool = False) -> dict[str, Any]:
    probe = {"m_ExcitationSpectrum": {"uiCount": 0}, "m_EmissionSpectrum": {"uiCount": 0}}
    plane = {
        "sDescription": "GFP",
        "uiColor": 0x00FF00,
        "uiCompCount": 3 if colour else 1,
        "pFilterPath": {"m_pFilter": {"a0": {"m_sName": "Wheel 2"}}},
        "pFluorescentProbe": probe,
    }
    other = {**plane, "sDescription": "RFP", "uiColor": 0x0000FF}
    planes = {"a0": plane} if colour else {"a0": plane, "a1": other}
    camera = {"CameraFamilyName": "DS-Qi2"}
    return {
        "bCalibrated": True,
        "dCalibration": 0.25,
        "dObjectiveMag": 60.0,
        "dObjectiveNA": 1.4,
        "wsObjectiveName": "Plan Apo 60x Oil",
        "dRefractIndex1": 1.515,
        "dTimeAbsolute": 2456827.0,
        "sPicturePlanes": {
            "uiCount": len(planes),
            "sPlane": planes,
            "sSampleSetting": {"a0": {"pCameraSetting": camera}},
        },
    }


def write(
    path: Path, frames: dict[int, np.ndarray], loops: dict[str, Any], packed=False, colour=False
) -> Path:
    """Write an ND2 of version 2.1 from frames (y, x, components)."""
    height, width, count = next(iter(frames.values())).shape
    attributes = {
        "uiWidth": width,
        "uiWidthBytes": width * count * 2,
        "uiHeight": height,
        "uiComp": count,
        "uiBpcInMemory": 16,
        "uiBpcSignificant": 12,
        "uiSequenceCount": 6,
        "eCompression": 0 if packed else 2,
    }
    text = {
        "TextInfoItem_4": "a.b",
        "TextInfoItem_5": "Microscope: Ti2-E\r\n {Second Filter Cube}: 525/50\r\n"
        " CH2 {Laser Wavelength}: 488.0 {Laser Power}: 0.5",
    }
    chunks = {
        b"ImageAttributes!": variant(attributes),
        b"ImageMetadataSeq|0!": variant(described(colour)),
        b"ImageTextInfo!": variant(text),
        b"ImageMetadata!": variant(loops),
        b"CustomData|AcqTimesCache!": np.arange(6, dtype="<f8").tobytes(),
    }
    for number, pixels in frames.items():
        data = pixels.tobytes()
        body = struct.pack("<d", number) + (zlib.compress(data) if packed else data)
        chunks[b"ImageDataSeq|%d!" % number] = body
    head = chunk(b"ND2 FILE SIGNATURE CHUNK NAME01!", b"Ver2.1".ljust(64, b"\0"))
    places, body = {}, head.ljust(4096, b"\0")
    for name, data in chunks.items():
        places[name] = (len(body), len(data))
        room = 4072 if name.startswith(b"ImageDataSeq") else len(name)
        body += chunk(name, data, room)
    table = b"".join(name + struct.pack("<QQ", *place) for name, place in places.items())
    signature = b"ND2 CHUNK MAP SIGNATURE 0000001!"
    end = signature + struct.pack("<Q", len(body))
    path.write_bytes(body + chunk(b"ND2 FILEMAP SIGNATURE NAME 0001!", table + end))
    return path


def stack() -> dict[str, Any]:
    points = {
        f"no_name{at}": {"dPosX": 1.0, "dPosY": 2.0, "dPosZ": 3.0, "dPosName": name}
        for at, name in enumerate(("left", "right"))
    }
    inner = {"eType": 4, "uLoopPars": {"uiCount": 3, "dZStep": 0.5, "bAbsolute": False}}
    place = {"uiCount": 2, "Points": points, "bUseZ": False}
    return {"eType": 2, "uLoopPars": place, "ppNextLevelEx": {"a0": inner}}


@pytest.fixture
def frames() -> dict[int, np.ndarray]:
    return {3 * p + z: PIXELS[p, z] for p in range(2) for z in range(3)}


@pytest.mark.parametrize("packed", [False, True])
def test_positions_are_images_and_frames_their_planes(tmp_path: Path, frames, packed: bool) -> None:
    path = write(tmp_path / "a.nd2", frames, stack(), packed)
    left, right = open_images(path)
    for one, pixels in ((left, PIXELS[0]), (right, PIXELS[1])):
        assert (one.axes, one.dtype) == ("czyx", np.uint16)
        assert (one.array.compute() == np.moveaxis(pixels, -1, 0)).all()
        assert (one.array[1, 2, 3:9, ::4].compute() == pixels[2, 3:9, ::4, 1]).all()
    assert left.scale == pytest.approx({"z": 0.5, "y": 0.25, "x": 0.25})
    assert (left.name, right.name) == ("position 1 left", "position 2 right")
    with nd2.ND2File(path) as file:
        assert file.sizes == {"P": 2, "Z": 3, "C": 2, "Y": 21, "X": 31}
        assert (file.read_frame(4) == right.array[:, 1].compute()).all()


def test_what_nis_elements_says_is_told(tmp_path: Path, frames) -> None:
    image, _ = open_images(write(tmp_path / "a.nd2", frames, stack()))
    told = {key: text for key, text, _ in image.tags}
    assert told["Microscope"] == "Nikon Ti2-E"
    assert told["Objective"].startswith("Plan Apo 60x Oil")
    assert told["Lasers"] == "488 nm"
    assert told["Filters"] == "525/50; Wheel 2"
    assert told["Tube/Detector"] == "DS-Qi2"
    assert told["User"] == "a.b"
    assert told["Acquisition date"].startswith("2014-06-18T12:00:00")
    assert [(one["name"], one["color"]) for one in image.channels] == [
        ("GFP", "00FF00"),
        ("RFP", "FF0000"),
    ]


def test_a_colour_camera_gives_red_first(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 4095, (21, 31, 3), dtype=np.uint16)
    (image,) = open_images(write(tmp_path / "a.nd2", {0: pixels}, {"eType": 0}, colour=True))
    assert [one["name"] for one in image.channels] == ["Red", "Green", "Blue"]
    assert (image.array.compute() == np.moveaxis(pixels[..., ::-1], -1, 0)).all()


def test_a_frame_that_was_never_taken_is_0_and_told(tmp_path: Path, frames) -> None:
    del frames[5]
    _, image = open_images(write(tmp_path / "a.nd2", frames, stack()))
    assert (image.array[:, :2].compute() == np.moveaxis(PIXELS[1, :2], -1, 0)).all()
    assert not image.array[:, 2].compute().any()
    assert ("Missing planes", "z 3", 1.0) in image.tags


def test_a_map_that_leads_elsewhere_is_refused(tmp_path: Path, frames, refused) -> None:
    path = write(tmp_path / "a.nd2", frames, stack())
    data = path.read_bytes()
    at = data.rindex(b"ImageDataSeq|4!") + 15
    path.write_bytes(data[:at] + struct.pack("<Q", 5000) + data[at + 8 :])
    assert "no plane" in refused(path)


@pytest.mark.parametrize("tenths", range(10))
def test_an_nd2_cut_anywhere_is_refused(tmp_path: Path, frames, tenths: int, refused) -> None:
    path = write(tmp_path / "a.nd2", frames, stack())
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * tenths // 10 + 20])
    assert "truncated" in refused(path)
