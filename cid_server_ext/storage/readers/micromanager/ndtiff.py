"""NDTiff: NDTiff.index says in which file, and where in it, each plane lies; nothing is packed."""

from __future__ import annotations

import struct
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import BadFile
from ..lazy import Strides, lazy
from ..ome.ome_files import name_missing
from ..planes import OPEN, Place, lacking
from ..policy import Tree
from ..source import Source, source
from .words import Told, Words, spread, words_of

NAME = "NDTiff.index"
LARGEST = 1 << 28  # bytes of the index
LONGEST = 1 << 14  # bytes of what an entry says as text
MOST = 1_000_000  # planes
MOST_IMAGES = 10_000
LARGEST_WORDS = 1 << 22  # bytes of what is said of one plane, or of all
SUMMARY = 2355492
MAGIC = 483729

TAIL = struct.Struct("<I4iI2i")
SHORT = struct.Struct("<I")
# by the number of the pixel type: what is stored, and samples of a pixel
TYPES = {0: ("u1", 1), 1: ("u2", 1), 2: ("u1", 3)} | dict.fromkeys((3, 4, 5, 6), ("u2", 1))
KNOWN = {"time": "t", "channel": "c", "z": "z"}

Axes = dict[str, int | str]


@dataclass(frozen=True, slots=True)
class Frame:
    """One plane. kind: the number of its pixel type; words: (offset, bytes) of what is said."""

    axes: Axes
    file: str
    offset: int
    shape: tuple[int, int]
    kind: int
    words: tuple[int, int]


def is_index(path: Path, head: bytes) -> bool:
    """Say whether a file is the index of an NDTiff."""
    return path.name == NAME and head[4:5] == b"{" and SHORT.unpack_from(head)[0] <= LONGEST


def members(main: str, tree: Tree) -> set[str] | None:
    """Return the TIFFs that an index names; None when not one is there."""
    folder = main.rpartition("/")[0]
    start = f"{folder}/" if folder else ""
    named = {f"{start}{frame.file}" for frame in read(tree.path(main))}
    return named & set(tree.inside(folder)) or None


def open_index(path: Path) -> list[Source]:
    """Return one image for each stage position, tile or further axis. BadFile names what lacks."""
    frames = read(path)
    files = Files(path.parent)
    for frame in frames:
        files.check(frame)
    found: dict[tuple[tuple[str, str], ...], list[Frame]] = {}
    for frame in frames:
        others = ((axis, str(at)) for axis, at in frame.axes.items() if axis not in KNOWN)
        found.setdefault(tuple(sorted(others)), []).append(frame)
    if len(found) > MOST_IMAGES:
        raise BadFile(f"the index holds {len(found)} images, more than {MOST_IMAGES}")
    summary = files.summary(frames[0].file)
    return [_image(path.parent, files, summary, *one) for one in found.items()]


def read(path: Path) -> list[Frame]:
    """Return the planes of an index. One that was written again counts once, as it was last."""
    if path.stat().st_size > LARGEST:
        raise BadFile("the index is larger than 256 MB: no real one is")
    found: dict[tuple[tuple[str, int | str], ...], Frame] = {}
    for frame in _frames(path.read_bytes()):
        found[tuple(sorted(frame.axes.items()))] = frame
        if len(found) > MOST:
            raise BadFile(f"the index names more than {MOST} planes: import parts")
    if not found:
        raise BadFile("the index names no plane: the acquisition was stopped before its first")
    return list(found.values())


def _frames(data: bytes) -> Iterator[Frame]:
    """Yield the entries, up to one that was cut off: the acquisition was killed in its midst."""
    at = 0
    while at < len(data):
        said, at = _text(data, at)
        name, at = _text(data, at)
        if said is None or name is None or at + TAIL.size > len(data):
            return
        offset, width, height, kind, packed, *words, packed_words = TAIL.unpack_from(data, at)
        at += TAIL.size
        file = name.decode("utf-8", errors="replace")
        if not file or any(sign in file for sign in "/\\\0") or file in {".", ".."}:
            raise BadFile(f"it names a file outside of its own folder: {file[:100]!r}")
        if kind not in TYPES or packed:
            raise BadFile(f"its planes are of a kind that CID does not read: {kind}, {packed}")
        if not (0 < width < 1 << 20 and 0 < height < 1 << 20):
            raise BadFile(f"its index claims planes of {height} x {width} pixels: it is damaged")
        told = (0, 0) if packed_words else (words[0], words[1])
        yield Frame(_axes(said), file, offset, (height, width), kind, told)


def _text(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Return a text behind its length, and where it ends; None where it was cut off."""
    if at + SHORT.size > len(data):
        return None, len(data)
    (length,) = SHORT.unpack_from(data, at)
    if not 0 < length <= LONGEST:
        raise BadFile(f"its index is damaged: an entry claims a text of {length} bytes")
    start = at + SHORT.size
    end = start + length
    return (data[start:end], end) if end <= len(data) else (None, len(data))


def _axes(said: bytes) -> Axes:
    found = words_of(said, "its index")
    for axis, at in found.items():
        whole = isinstance(at, int) and not isinstance(at, bool) and abs(at) < 1 << 31
        if not (whole or isinstance(at, str)) or len(found) > 16:
            raise BadFile(f"its index puts a plane at {axis[:40]!r} {at!r:.40}: it is damaged")
    return found


class Files:
    """The TIFFs beside an index; those that were read last stay open."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.known: dict[str, tuple[int, str]] = {}  # bytes, byte order
        self.opened: OrderedDict[str, Strides] = OrderedDict()
        self.lock = threading.Lock()

    def check(self, frame: Frame) -> None:
        """Look at the file of a plane; BadFile: it is not there, or ends before the plane does."""
        if frame.file not in self.known:
            self.known[frame.file] = self._look(frame.file)
        dtype, samples = TYPES[frame.kind]
        nbytes = frame.shape[0] * frame.shape[1] * samples * np.dtype(dtype).itemsize
        if frame.offset + nbytes > self.known[frame.file][0]:
            raise BadFile(f"{frame.file[:100]} is truncated: it has not all planes. Copy it again")

    def _look(self, name: str) -> tuple[int, str]:
        path = self.home / name
        if path.is_symlink():
            raise BadFile(f"{name[:100]!r}, which belongs to it, is a link: copy the file itself")
        if not path.is_file():
            raise BadFile(
                f"the file {name[:100]!r}, which belongs to it, is missing: upload them together"
            )
        with path.open("rb") as file:
            order = {b"II*\0": "<", b"MM\0*": ">"}.get(file.read(4))
        if order is None:
            raise BadFile(f"{name[:100]!r}, which belongs to it, is no TIFF")
        return path.stat().st_size, order

    def window(self, frame: Frame, sample: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Return rows and columns of a plane."""
        dtype, samples = TYPES[frame.kind]
        kind = np.dtype(dtype).newbyteorder(self.known[frame.file][1])
        right = samples * kind.itemsize
        steps = (frame.shape[1] * right, right)
        with self.lock:
            if frame.file not in self.opened:
                self.opened[frame.file] = Strides(self.home / frame.file)
                if len(self.opened) > OPEN:
                    self.opened.popitem(last=False)
            self.opened.move_to_end(frame.file)
            file = self.opened[frame.file]
        return file.window(frame.offset + sample * kind.itemsize, steps, kind, rows, columns)

    def words(self, frame: Frame) -> Words:
        """Return what is said of a plane, where it can be read."""
        return self._words(frame.file, *frame.words)

    def summary(self, name: str) -> Words:
        """Return what is said of all, at the begin of each file."""
        with (self.home / name).open("rb") as file:
            head = file.read(28)
        if len(head) < 28:
            return {}
        numbers = struct.unpack_from(f"{self.known[name][1]}5I", head, 8)
        if numbers[0] != MAGIC or SUMMARY not in numbers[2:4]:
            return {}
        at = 2 + numbers[2:4].index(SUMMARY)  # newer ones have a minor version before it
        return self._words(name, 8 + 4 * (at + 2), numbers[at + 1])

    def _words(self, name: str, offset: int, length: int) -> Words:
        if not (0 < length <= LARGEST_WORDS and offset + length <= self.known[name][0]):
            return {}
        with (self.home / name).open("rb") as file:
            file.seek(offset)
            data = file.read(length)
        try:
            return words_of(data, name)
        except BadFile:
            return {}


def _image(
    home: Path,
    files: Files,
    summary: Words,
    others: tuple[tuple[str, str], ...],
    frames: list[Frame],
) -> Source:
    planes, names, depth = _places(frames)
    first = planes[min(planes)]
    if any((one.shape, one.kind) != (first.shape, first.kind) for one in planes.values()):
        raise BadFile("it has planes of several sizes or types in one image: export them apart")
    size = tuple(1 + max(place[axis] for place in planes) for axis in range(3))
    times, channels, _ = size
    told = Told(summary, names)
    for place in _telling(planes, times):
        told.add(place, files.words(planes[place]))
    alone = spread(planes, depth)
    dtype, samples = TYPES[first.kind]
    size = (times, channels, depth)

    def pixels(index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        t, c, z, *sample = index
        frame = planes.get((t, c, z))
        if frame is None:
            return np.zeros(first.shape, dtype)[rows, columns]
        return files.window(frame, sample[0] if sample else 0, rows, columns)

    extra = (samples,) if samples > 1 else ()
    array = lazy((*size, *extra, *first.shape), dtype, pixels)
    made = told.described(channels)
    where = " ".join(at if axis == "position" else f"{axis} {at}" for axis, at in others)
    made.name = " ".join(part for part in (made.name or home.name, where) if part)
    facts = made.facts("tczyx", (*size, *first.shape), np.dtype(dtype))
    tags = [*facts.tags, *told.tags(alone, times)]
    if where and "Stage position" not in {key for key, _, _ in tags}:
        tags.append(("Stage position", where[:100], None))
    axes = "TCZSYX" if extra else "TCZYX"
    return name_missing(
        source(replace(facts, tags=tuple(tags)), axes, array), lacking(size, planes)
    )


def _places(frames: list[Frame]) -> tuple[dict[Place, Frame], dict[int, str], int]:
    """Return the planes by their place, the names of channels, and how many z there are.

    Numbers need not begin at 0, nor follow each other; channels may be names.
    """
    order: dict[str, dict[int | str, int]] = {}
    for axis in KNOWN:
        seen = dict.fromkeys(frame.axes[axis] for frame in frames if axis in frame.axes)
        numbers = all(isinstance(at, int) for at in seen)
        values = sorted(seen, key=lambda at: int(at)) if numbers else list(seen)
        order[axis] = {at: number for number, at in enumerate(values)}
    depth = max(1, len(order["z"]))
    planes: dict[Place, Frame] = {}
    for frame in frames:
        t, c, z = (
            order[axis][frame.axes[axis]] if axis in frame.axes else 0
            for axis in ("time", "channel", "z")
        )
        flat = "z" not in frame.axes  # of a channel that was taken without z
        planes[t, c, (depth - 1) // 2 if flat else z] = frame
    names = {at: name for name, at in order["channel"].items() if isinstance(name, str)}
    return planes, names, depth


def _telling(planes: Mapping[Place, Frame], times: int) -> list[Place]:
    """Return the planes that say most: the first of each channel, time's ends, and z's."""
    asked: dict[object, Place] = {}
    for place in sorted(planes):
        t, c, z = place
        asked.setdefault(("c", c), place)
        if t in {0, times - 1}:
            asked.setdefault(("t", t), place)
        if t == 0 and z < 2:
            asked.setdefault(("z", z), place)
    return sorted(set(asked.values()))
