"""Reading Nikon ND2: positions become images, planes are read where the file's map says."""

from __future__ import annotations

import itertools
import math
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import BadFile
from ..lazy import Strides, latest, lazy
from ..source import Source, source
from . import nikontext

MOST_IMAGES = 2000
MAGIC = 0x0ABECEDA  # of a chunk
STAMP = 8  # bytes of time before the pixels of a frame
AXES = {"T": "t", "Z": "z"}  # of the loops; steps of any other loop are images each


def is_nd2(path: Path, head: bytes) -> bool:
    """Say whether a file is an ND2; the old kind begins like any JPEG 2000."""
    old = head.startswith(b"\0\0\0\x0cjP  ") and path.suffix.lower() == ".nd2"
    return head.startswith(b"\xda\xce\xbe\x0a") or old


def open_nd2(path: Path) -> list[Source]:
    """Return each position of an ND2. A plane that was never taken, in an acquisition that was
    stopped, is 0; the metadata then tells how many are missing.
    """
    import nd2

    pixels = Strides(path)
    try:
        file = nd2.ND2File(_Handle(pixels))
        images = list(_images(file, pixels))
    except (ValueError, OSError, struct.error, LookupError, zlib.error) as error:
        told = " ".join(str(error).split())[:80]
        raise BadFile(f"it is truncated or damaged, copy it again ({told})") from None
    if not images:
        raise BadFile("the ND2 holds no image")
    return images


class _Handle:
    """The file as nd2 reads it: not mapped into memory, which a large one would fill."""

    def __init__(self, pixels: Strides) -> None:
        self.file, self.name = pixels.file, pixels.path.name
        self.read, self.seek, self.tell = self.file.read, self.file.seek, self.file.tell

    @property
    def closed(self) -> bool:
        """Whether it can be read no more."""
        return self.file.closed

    def close(self) -> None:
        """Stay open: the pixels are read later."""


def _images(file: Any, pixels: Strides) -> Iterator[Source]:
    attributes = file.attributes
    count, per = attributes.componentCount, file.components_per_channel
    colour = per == 3
    loops = [(AXES.get(axis, axis), size) for axis, size in _loops(file)]
    _check(attributes, loops)
    height, width = attributes.heightPx, attributes.widthPx
    kind = attributes.pixelDataType[0] if attributes.pixelDataType else "u"
    dtype = np.dtype(f"<{kind}{attributes.bitsPerComponentInMemory // 8}")
    read, places, whole = _frames(file, pixels, dtype)
    inner = [place for place in loops if place[0] in "tz"]
    split = [place for place in loops if place[0] not in "tz"]
    dims = "".join(axis for axis, _ in inner) + "cyx"
    shape = (*(size for _, size in inner), count, height, width)
    for chosen in itertools.product(*(range(size) for _, size in split)):
        fixed = dict(zip((axis for axis, _ in split), chosen, strict=True))

        def number(index: tuple[int, ...], fixed: dict[str, int] = fixed) -> int:
            at = {**fixed, **dict(zip((axis for axis, _ in inner), index, strict=True))}
            found = 0
            for axis, size in loops:
                found = found * size + at[axis]
            return found

        def window(
            index: tuple[int, ...], rows: slice, columns: slice, number: Any = number
        ) -> NDArray[Any]:
            *leading, component = index
            if colour:  # blue is the first of a colour pixel
                component += 2 - 2 * (component % 3)
            found: NDArray[Any] = read(number(tuple(leading)), component, rows, columns)
            return found

        frames = itertools.product(*(range(size) for _, size in inner))
        missing = [index for index in frames if number(index) not in places]
        if len(missing) == math.prod(size for _, size in inner):
            continue
        told = nikontext.describe(file, fixed, count, colour)
        array = lazy(shape, dtype, window, whole=whole, together=(*(1 for _ in inner), count))
        image = source(told.facts(dims, shape, dtype), dims.upper(), array)
        yield _told_missing(image, dims, missing) if missing else image


def _told_missing(image: Source, axes: str, missing: list[tuple[int, ...]]) -> Source:
    named = [
        " ".join(f"{axis} {at + 1}" for axis, at in zip(axes, index, strict=False))
        for index in missing[:20]
    ]
    more = f" and {len(missing) - 20} more" if len(missing) > 20 else ""
    tag = ("Missing planes", f"{', '.join(named)}{more}"[:400], float(len(missing)))
    return replace(image, tags=(*image.tags, tag))


def _loops(file: Any) -> Iterator[tuple[str, int]]:
    """Yield (letter, steps) of each loop of the acquisition, the slowest first."""
    seen: set[str] = set()
    letters = {"TimeLoop": "T", "NETimeLoop": "T", "ZStackLoop": "Z", "XYPosLoop": "P"}
    for loop in file.experiment:
        letter = letters.get(loop.type, "loop")
        while letter in seen:
            letter += "'"
        seen.add(letter)
        yield letter, int(loop.count)


def _check(attributes: Any, loops: list[tuple[str, int]]) -> None:
    sizes = (attributes.heightPx, attributes.widthPx, attributes.componentCount)
    steps = [size for _, size in loops]
    if not all(size and size > 0 for size in (*sizes, *steps)):
        raise BadFile("its header gives sizes that no image has: it is damaged")
    held = attributes.sequenceCount or 0
    if math.prod(steps) > max(held, 1) * MOST_IMAGES or attributes.bitsPerComponentInMemory not in (
        8,
        16,
        32,
        64,
    ):
        raise BadFile("its header gives sizes that no image has: it is damaged")
    if math.prod(size for axis, size in loops if axis not in "tz") > MOST_IMAGES:
        raise BadFile(f"it holds more than {MOST_IMAGES} positions: export parts of it")


def _frames(file: Any, pixels: Strides, dtype: np.dtype[Any]) -> tuple[Any, Any, bool]:
    """Return how a window of a frame is read, which frames there are, and if only as a whole."""
    attributes = file.attributes
    count = attributes.componentCount
    if file.is_legacy:  # JPEG 2000, a plane at a time

        def picture(number: int) -> NDArray[Any]:
            frame = np.asarray(file._rdr.read_frame(number))
            return frame.reshape(attributes.heightPx, attributes.widthPx, count)

        decoded = latest(picture)
        places = range(attributes.sequenceCount)
        return _cut(decoded, attributes, dtype), places, True
    step = count * dtype.itemsize
    line = attributes.widthBytes or attributes.widthPx * step
    if line < attributes.widthPx * step:
        raise BadFile("its header gives lines that are too short for its pixels: it is damaged")
    chunks = {
        int(name[13:-1]): int(offset)
        for name, (offset, _) in file._rdr.chunkmap.items()
        if name.startswith(b"ImageDataSeq|")
    }
    if attributes.compressionType == "lossless":

        def inflated(number: int) -> NDArray[Any]:
            if number not in chunks:
                return np.zeros((attributes.heightPx, attributes.widthPx, count), dtype)
            start, nbytes = _data(pixels, chunks[number], number)
            packed = os.pread(pixels.file.fileno(), nbytes, start)
            wanted = line * attributes.heightPx
            data = zlib.decompressobj().decompress(packed, wanted)
            if len(data) < wanted - line + attributes.widthPx * step:
                raise BadFile("a plane of it is damaged: copy the file again")
            shape = (attributes.heightPx, attributes.widthPx, count)
            return np.ndarray(shape, dtype, data, 0, (line, step, dtype.itemsize))

        return _cut(latest(inflated), attributes, dtype), chunks, True

    def plain(number: int, component: int, rows: slice, columns: slice) -> NDArray[Any]:
        if number not in chunks:
            return np.zeros((attributes.heightPx, attributes.widthPx), dtype)[rows, columns]
        start, nbytes = _data(pixels, chunks[number], number)
        if nbytes < line * (attributes.heightPx - 1) + attributes.widthPx * step:
            raise BadFile("a plane of it is shorter than promised: it is damaged")
        offset = start + component * dtype.itemsize
        return pixels.window(offset, (line, step), dtype, rows, columns)

    return plain, chunks, False


def _cut(frame: Any, attributes: Any, dtype: np.dtype[Any]) -> Any:
    """Return windows of frames that are decoded as a whole."""

    def window(number: int, component: int, rows: slice, columns: slice) -> NDArray[Any]:
        pixels = frame(number)[rows, columns, component]
        return np.asarray(pixels, dtype)

    return window


def _data(pixels: Strides, at: int, number: int) -> tuple[int, int]:
    """Return where the pixels of a frame are and how many bytes, from the header of its chunk."""
    head = os.pread(pixels.file.fileno(), 16 + 64, at)
    if len(head) < 80:
        raise BadFile("it is truncated: some of its pixels lie past its end. Copy it again")
    magic, named, nbytes = struct.unpack("<IIQ", head[:16])
    if magic != MAGIC or not head[16:].startswith(b"ImageDataSeq|%d!" % number):
        raise BadFile("its map leads to something that is no plane: it is damaged")
    start = at + 16 + named + STAMP
    if start + nbytes - STAMP > pixels.size:
        raise BadFile("it is truncated: some of its pixels lie past its end. Copy it again")
    return start, nbytes - STAMP
