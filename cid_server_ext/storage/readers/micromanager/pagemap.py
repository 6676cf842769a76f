"""One file of Micro-Manager's stacks: its header, its map of planes, and the names of its kin."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import tifffile

from ....errors import BadFile
from ..planes import Page, Place
from ..tiffs.bones import complaints
from .words import Words, flat, index, words_of

MAP, COMMENTS, SUMMARY = 54773648, 99384722, 2355492  # what its header says what follows
TABLE = 3453623
HEADER = struct.Struct("8I")
LARGEST = 64 << 20  # bytes of a summary
MOST = 500_000  # planes of a file
TIFFS = (".tif", ".tiff")
SAYS = 51123  # the tag of each page with what Micro-Manager says of it

NAME = re.compile(r"(.*?)_?MMStack")


class Stack:
    """One file: its summary, and where its planes are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        found = header_of(path)
        if found is None:
            raise BadFile(f"{path.name[:100]} has no header of Micro-Manager")
        self.order, self.numbers = found
        self.size = path.stat().st_size

    @cached_property
    def summary(self) -> Words:
        """What is said of the whole acquisition, alike in all its files."""
        _, _, _, _, _, _, kind, length = self.numbers
        if kind != SUMMARY or length > min(LARGEST, self.size):
            return {}
        with self.path.open("rb") as file:
            file.seek(8 + HEADER.size)
            try:
                return words_of(file.read(length), "its summary")
            except BadFile:
                return {}

    def planes(self) -> Iterator[tuple[int, Place, Page]]:
        """Yield (position, place, page) of each plane that is wholly there."""
        with self.path.open("rb") as file:
            pages = _chain(file, self.order, self.size)
            table = self._table(file)
        if table is None:  # it is written last: the acquisition was killed
            yield from self._said_by_pages(len(pages))
            return
        for c, z, t, p, offset in table:
            if offset in pages:
                place = _whole(t), _whole(c), _whole(z)
                yield _whole(p), place, Page(self.path, pages[offset])

    def _table(self, file: BinaryIO) -> list[tuple[int, ...]] | None:
        kind, start, *_ = self.numbers
        if start > self.size:
            raise BadFile(f"{self.path.name[:100]} is truncated: its end is missing. Copy it again")
        file.seek(start)
        head = file.read(8)
        if kind != MAP or start < 8 or len(head) < 8:
            return None
        kind, count = struct.unpack(f"{self.order}2I", head)
        if kind != TABLE or not count:
            return None
        if count > MOST or start + 8 + 20 * count > self.size:
            raise BadFile(
                f"{self.path.name[:100]} is damaged: its map names {count} planes, more than it"
                " has. Copy it again"
            )
        return list(struct.iter_unpack(f"{self.order}5I", file.read(20 * count)))

    def _said_by_pages(self, count: int) -> Iterator[tuple[int, Place, Page]]:
        with opened(self.path) as tiff:
            for number in range(min(count, len(tiff.pages))):
                words = page_words(tiff, number)
                told = [words.get(f"{key}Index") for key in ("Position", "Frame", "Channel")]
                p, t, c, z = (index(one) or 0 for one in (*told, words.get("SliceIndex")))
                if words:
                    yield p, (t, c, z), Page(self.path, number)


def family(name: str, names: list[str]) -> list[str]:
    """Return the names of the stacks of one acquisition, and of the text beside them."""
    match = NAME.match(name)
    if match is None:
        return []
    found = []
    for other in names:
        same = NAME.match(other)
        if same and same[0] == match[0] and other.lower().endswith((*TIFFS, "_metadata.txt")):
            found.append(other)
    return found


def header(head: bytes) -> tuple[str, tuple[int, ...]] | None:
    """Return (byte order, numbers) of the header of a stack; None for another file."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[:4])
    if order is None or len(head) < 8 + HEADER.size:
        return None
    numbers = struct.unpack_from(f"{order}8I", head, 8)
    return (order, numbers) if (numbers[0], numbers[4]) == (MAP, COMMENTS) else None


def header_of(path: Path) -> tuple[str, tuple[int, ...]] | None:
    """Return the header of a file."""
    with path.open("rb") as file:
        return header(file.read(8 + HEADER.size))


def _chain(file: BinaryIO, order: str, size: int) -> dict[int, int]:
    """Return the number of each page by its offset, as far as they follow each other."""
    found: dict[int, int] = {}
    file.seek(4)
    (at,) = struct.unpack(f"{order}I", file.read(4))
    while 8 <= at < size and at not in found and len(found) < MOST:
        file.seek(at)
        head = file.read(2)
        count = struct.unpack(f"{order}H", head)[0] if len(head) == 2 else 0
        if not 0 < count <= 4096 or at + 6 + 12 * count > size:
            break
        found[at] = len(found)
        file.seek(at + 2 + 12 * count)
        (at,) = struct.unpack(f"{order}I", file.read(4))
    return found


def opened(path: Path) -> tifffile.TiffFile:
    """Open a TIFF of which pages are asked for by number."""
    with complaints():
        return tifffile.TiffFile(path, is_mmstack=False, is_ome=False, is_imagej=False)


def page_words(tiff: tifffile.TiffFile, number: int) -> dict[str, Any]:
    """Return what Micro-Manager says of a page."""
    tag = tiff.pages[number].tags.get(SAYS)
    return flat(tag.value) if tag is not None else {}


def _whole(value: int) -> int:
    return index(value) or 0
