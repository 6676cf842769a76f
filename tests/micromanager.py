"""Acquisitions as Micro-Manager writes them, small, from its public descriptions."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from cid_server_ext.storage.readers import sort
from cid_server_ext.storage.readers.source import Source

SUMMARY: dict[str, Any] = {
    "MicroManagerVersion": "1.4.22",
    "UserName": "an operator",
    "Prefix": "acq_1",
    "Time": "2023-09-18 Mon 13:00:00 +0200",
    "ChNames": ["DAPI", "GFP"],
    "ChColors": [-16776961, -16711936],
    "PixelSize_um": 0.25,
    "z-step_um": -0.5,
    "Interval_ms": 5000,
    "Frames": 2,
    "Channels": 2,
    "Slices": 3,
}
SIZE = (2, 2, 3)
COLOURS = [{"name": "DAPI", "color": "0000FF"}, {"name": "GFP", "color": "00FF00"}]
SCALE = {"t": 6.0, "z": 0.5, "y": 0.25, "x": 0.25}


def tags_of(image: Source) -> dict[str, str]:
    return {key: text for key, text, _ in image.tags}


def grouped(folder: Path) -> list[tuple[str, int]]:
    found = sort(folder)
    assert (found.others, found.refused) == ((), {})
    return [(group.main, len(group.members)) for group in found.groups]


def pixels(*size: int, kind: str = "u2") -> np.ndarray:
    """Return pixels of which no two planes are alike."""
    return np.random.default_rng(sum(size)).integers(0, 250, size).astype(kind)


def words(t: int, c: int, z: int, **more: Any) -> dict[str, Any]:
    """Return what is said of a plane."""
    return {
        "FrameIndex": t,
        "ChannelIndex": c,
        "SliceIndex": z,
        "PositionIndex": 0,
        "Exposure-ms": 10 * (c + 1),
        "ElapsedTime-ms": 6000 * t + 100 * c + 10 * z,
        "Core-Camera": "Cam",
        "Cam-CameraName": "Zyla 4.2",
        "TINosePiece-Label": "Plan Apo 20x",
        **more,
    }


def old(folder: Path, size: tuple[int, int, int] = SIZE, **summary: Any) -> np.ndarray:
    """Write an acquisition of version 1.4 into single planes."""
    folder.mkdir(parents=True, exist_ok=True)
    planes = pixels(*size, 7, 9)
    said: dict[str, Any] = {"Summary": {**SUMMARY, **summary}}
    for t, c, z in np.ndindex(*size):
        name = f"img_{t:09d}_{SUMMARY['ChNames'][c]}_{z:03d}.tif"
        tifffile.imwrite(folder / name, planes[t, c, z])
        said[f"FrameKey-{t}-{c}-{z}"] = words(t, c, z, FileName=name, PositionName="Pos0")
    (folder / "metadata.txt").write_text(json.dumps(said, indent=1))
    return planes


def new(folder: Path, position: int = 0, **summary: Any) -> np.ndarray:
    """Write a stage position of version 2.0 into single planes."""
    folder.mkdir(parents=True, exist_ok=True)
    planes = pixels(*SIZE, 7, 9) + position
    told = {key: value for key, value in SUMMARY.items() if key not in {"PixelSize_um", "Time"}}
    told |= {"MicroManagerVersion": "2.0.1", "StartTime": "2023-09-18 13:00:00.500 +0200"}
    said: dict[str, Any] = {"Summary": {**told, **summary}}
    for t, c, z in np.ndindex(*SIZE):
        name = f"img_channel{c:03d}_position{position:03d}_time{t:09d}_z{z:03d}.tif"
        tifffile.imwrite(folder / name, planes[t, c, z])
        key = f"{folder.name}/{name}"
        place = words(t, c, z, PositionIndex=position)
        said[f"Coords-{key}"] = {axis: place.pop(axis) for axis in list(place) if "Index" in axis}
        scope = {"TINosePiece-Label": {"PropType": "String", "PropVal": "Plan Apo 20x"}}
        place |= {"PixelSizeUm": 0.25, "PositionName": folder.name, "ScopeData": scope}
        said[f"Metadata-{key}"] = {**place, "FileName": key}
    (folder / "metadata.txt").write_text(json.dumps(said))
    return planes


Planes = dict[tuple[int, int, int, int], np.ndarray]  # by position, t, c, z


def stack(path: Path, planes: Planes, *, table: bool = True, xml: str = "", **summary: Any) -> None:
    """Write a stack: its header, its summary, a page for each plane, and the map of all.

    One without a map was killed: its last page points to where nothing was written yet.
    """
    told = json.dumps({**SUMMARY, **summary}).encode()
    data = bytearray(struct.pack("<2sHI", b"II", 42, 40 + len(told)) + bytes(24))
    data += struct.pack("<2I", 2355492, len(told)) + told
    found = []
    for at, ((p, t, c, z), plane) in enumerate(planes.items()):
        found.append((c, z, t, p, len(data)))
        text = xml.encode() if at == 0 else b""
        said = json.dumps(words(t, c, z, PositionIndex=p, PositionName=f"Pos{p}")).encode()
        data += _page(len(data), plane, text + b"\0", said + b"\0", table and at + 1 == len(planes))
    start = len(data) if table else 0
    data += bytes(0 if table else 900)
    if table:
        data += struct.pack("<2I", 3453623, len(found))
        data += b"".join(struct.pack("<5I", *one) for one in found)
    struct.pack_into("<6I", data, 8, 54773648, start, 483765892, 0, 99384722, 0)
    path.write_bytes(data)


def _page(start: int, plane: np.ndarray, text: bytes, said: bytes, last: bool) -> bytes:
    height, width = plane.shape
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, plane.itemsize * 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (270, 2, len(text), None),
        (273, 4, 1, None),
        (277, 3, 1, 1),
        (278, 3, 1, height),
        (279, 4, 1, plane.nbytes),
        (51123, 2, len(said), None),
    ]
    behind = start + 2 + 12 * len(tags) + 4
    places = {273: behind, 270: behind + plane.nbytes, 51123: behind + plane.nbytes + len(text)}
    page = struct.pack("<H", len(tags))
    for tag, kind, count, value in tags:
        told = places[tag] if value is None else value
        if kind == 2 and count <= 4:
            page += struct.pack("<2HI", tag, kind, count) + text.ljust(4, b"\0")
        else:
            page += struct.pack("<2H2I", tag, kind, count, told)
    end = behind + plane.nbytes + len(text) + len(said)
    return page + struct.pack("<I", 0 if last else end) + plane.tobytes() + text + said


def ndtiff(folder: Path, frames: list[tuple[dict[str, Any], np.ndarray]], **summary: Any) -> Path:
    """Write an NDTiff of two files and its index; return the index."""
    folder.mkdir(parents=True, exist_ok=True)
    index = b""
    half = -(-len(frames) // 2)
    for number, part in enumerate((frames[:half], frames[half:])):
        name = "acq_NDTiffStack.tif" if not number else f"acq_NDTiffStack_{number}.tif"
        told = json.dumps({**SUMMARY, **summary}).encode()
        data = bytearray(struct.pack("<2sHI", b"II", 42, 28 + len(told)))
        data += struct.pack("<5I", 483729, 3, 3, 2355492, len(told)) + told
        for axes, plane in part:
            t, c, z = (int(axes.get(axis, 0)) for axis in ("time", "count", "z"))
            said = words(t, c, z, **{"ZPosition_um_Intended": 1.5 * z, "PixelSizeUm": 0.25})
            behind = json.dumps(said).encode()
            kind = 2 if plane.ndim == 3 else int(plane.itemsize == 2)
            page = len(data)
            key = json.dumps(axes).encode()
            index += struct.pack("<I", len(key)) + key
            index += struct.pack("<I", len(name)) + name.encode()
            index += struct.pack(
                "<I4iI2i", page, plane.shape[1], plane.shape[0], kind, 0,
                page + plane.nbytes, len(behind), 0,
            )  # fmt: skip
            data += plane.tobytes() + behind
        (folder / name).write_bytes(data)
    path = folder / "NDTiff.index"
    path.write_bytes(index)
    return path
