"""Reading Imaris IMS: the pixels of level 0, without what pads them to whole chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import BadFile
from ..lazy import lazy
from ..source import MOST_CHANNELS, Source, source
from . import guarded, imaristext
from .guarded import Data
from .unpacked import Unpacked

MOST = 1 << 16  # volumes: times x channels
RATIO = 1100  # gzip packs no tighter
SPARE = 64 << 20  # bytes that may be claimed and never written, however small the file is


def is_ims(path: Path, head: bytes) -> bool:
    """Say whether a file is an IMS: HDF5 with Imaris's two folders. Any other stays a file."""
    if not head.startswith(guarded.SIGNATURE):
        return False
    try:
        file = guarded.open_file(path)
    except BadFile:  # nobody can look into it; by its name, it is one to say so of
        return path.suffix.lower() == ".ims"
    with file:
        return all(file.id.links.exists(name) for name in (b"DataSet", b"DataSetInfo"))


def open_ims(path: Path) -> list[Source]:
    """Return the image of an IMS. BadFile: its pixels are elsewhere, or packed as only others can
    unpack.
    """
    file = guarded.open_file(path)
    unpacked = Unpacked(file)
    group = file
    for name in ("DataSet", "ResolutionLevel 0"):
        group = guarded.child(group, name)
        if group is None:
            raise BadFile(f"its {name!r} is missing: it is damaged, or of Imaris before 5.5")
    info = guarded.child(file, "DataSetInfo")
    volumes, size = _volumes(group, info)
    first = volumes[0][0]
    shape = (len(volumes), len(volumes[0]), *size)
    claimed = float(np.prod(shape, dtype=float)) * first.dtype.itemsize
    if claimed > path.stat().st_size * RATIO + SPARE:
        raise BadFile(f"it claims {shape} pixels, more than a file of its size can hold")

    def read(index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        t, c, z = index
        return unpacked.window(volumes[t][c], z, rows, columns)

    told, unknown = imaristext.describe(info, shape)
    facts = told.facts("tczyx", shape, first.dtype)
    facts = replace(facts, unknown={**facts.unknown, **unknown})
    return [source(facts, "TCZYX", lazy(shape, first.dtype, read))]


# --- the pixels -------------------------------------------------------------------------------


def _volumes(level: Any, info: Any) -> tuple[list[list[Data]], tuple[int, ...]]:
    """Return the volumes by time and channel, and how many pixels (z, y, x) of each are real."""
    times = list(_numbered(level, "TimePoint"))
    if not times:
        raise BadFile("it holds no pixels: deposit it as a file")
    found: list[list[Data]] = []
    sizes = set()
    for time in times:
        channels = list(_numbered(time, "Channel"))
        if not channels or (found and len(channels) != len(found[0])):
            raise BadFile(f"time point {len(found) + 1} has not all channels: it is incomplete")
        if len(channels) > MOST_CHANNELS or len(times) * len(channels) > MOST:
            raise BadFile(
                f"it holds {len(times)} times of {len(channels)} channels: export parts of it"
            )
        found.append([])
        for channel in channels:
            volume = guarded.data(channel, "Data")
            if volume is None or len(volume.shape) != 3:
                raise BadFile(f"time point {len(found)} has no pixels: it is incomplete")
            sizes.add(_size(channel, info, volume))
            found[-1].append(volume)
    if len(sizes) > 1 or len({volume.dtype for row in found for volume in row}) > 1:
        raise BadFile("its channels differ in size or type: export them one by one")
    return found, sizes.pop()


def _numbered(group: Any, name: str) -> Iterator[Any]:
    for at in range(MOST + 1):
        found = guarded.child(group, f"{name} {at}")
        if found is None:
            return
        yield found


def _size(channel: Any, info: Any, volume: Data) -> tuple[int, ...]:
    """Return the size without what pads it to whole chunks."""
    image = guarded.child(info, "Image") if info is not None else None
    found = []
    for axis, held in zip("ZYX", volume.shape, strict=True):
        told = guarded.attribute(channel, f"ImageSize{axis}")
        told = told or (guarded.attribute(image, axis) if image is not None else "")
        size = int(told) if told.isdecimal() else held
        if not 0 < size <= held:
            raise BadFile(f"it claims {size} pixels along {axis} and holds {held}: it is damaged")
        found.append(size)
    return tuple(found)
