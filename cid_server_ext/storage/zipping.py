"""A ZIP archive that is nowhere: every byte's place is known from names and lengths alone.

So its size is told before a byte is read, and reading begins at any place. Entries are stored
without compression, as ZIP64 where they must (APPNOTE 6.3.10), with names in UTF-8.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import struct
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

PIECE = 1 << 20  # bytes that are read at once
SMALL = 64 << 10  # bytes; less than these are joined with what follows
FOUR_GIB, MANY = 0xFFFF_FFFF, 0xFFFF  # what does not fit into the fields of 1989
FLAGS = 0x0808  # the CRC follows the data; names are UTF-8
PLAIN, LARGE = 20, 45  # version needed to extract
UNIX, READABLE = 3 << 8, 0o100644 << 16


class Source(Protocol):
    """Bytes whose number is known before they are read; a file, or what is made on the way."""

    @property
    def nbytes(self) -> int:
        """How many."""

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Give those from `start` to `stop`, piece by piece; fewer when it is another by now."""


class Changed(Exception):
    """A source is not what it was when the archive was laid out."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it lies in storage."""

    path: Path
    nbytes: int

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Give these bytes of it."""
        with self.path.open("rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size != self.nbytes:
                return
            file.seek(start)
            while start < stop and (piece := file.read(min(PIECE, stop - start))):
                start += len(piece)
                yield piece


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive: its name in there, "a/b.tif", its bytes, seconds since 1970."""

    name: str
    source: Source
    at: int = 0


class Checks:
    """The CRC-32 of each entry, as far as its bytes passed; what is known whole is noted in a file.

    The CRC stands behind an entry's data and again at the archive's end, so whoever reads from the
    start pays nothing for it: it is made of what passes, and so is the SHA-256 of those that are
    `hashed`. A download that goes on elsewhere finds what passed before in the file, which is a
    line an entry, whatever process wrote it; only the beginning of the entry where it broke off is
    read again. CRCs made at the import would spare that too, and cost a line for each chunk of
    each image for ever.
    """

    def __init__(self, noted: Path | None = None, hashed: Iterable[int] = ()) -> None:
        self._noted = noted
        self._hashed = frozenset(hashed)
        self._passed: dict[int, _Passed] = {}
        self._whole: dict[int, tuple[int, str]] = {}
        if noted is not None and noted.exists():
            for line in noted.read_text("ascii", "replace").splitlines():
                index, crc, digest = (*line.split(" "), "", "", "")[:3]
                if not index.isdecimal() or len(crc) != 8:  # torn by a kill
                    continue
                if len(digest) == 64 * (int(index) in self._hashed):
                    self._whole[int(index)] = int(crc, 16), digest

    def whole(self, index: int) -> int | None:
        """Return the CRC of an entry, if all of it has passed."""
        return self._whole[index][0] if index in self._whole else None

    def digest(self, index: int) -> str | None:
        """Return the SHA-256 of an entry that is hashed, if all of it has passed."""
        return self._whole[index][1] if index in self._whole else None

    def passing(self, index: int, at: int, piece: bytes, nbytes: int) -> None:
        """Heed a piece of an entry of so many bytes, which lies at `at` in it."""
        passed = self._passed.get(index, _Passed())
        if index in self._whole or not at <= passed.nbytes < at + len(piece):
            return
        more = memoryview(piece)[passed.nbytes - at :]
        # a copy: another reader of the same archive may be at it, and each goes on from a whole one
        digest = passed.digest.copy() if index in self._hashed else None
        if digest is not None:
            digest.update(more)
        passed = _Passed(at + len(piece), zlib.crc32(more, passed.crc), digest or passed.digest)
        self._passed[index] = passed
        if passed.nbytes == nbytes:
            self.know(index, passed.crc, digest.hexdigest() if digest else "")

    def know(self, index: int, crc: int, digest: str = "") -> None:
        """Remember the CRC of a whole entry, and its SHA-256."""
        self._whole[index] = crc, digest
        self._passed.pop(index, None)
        if self._noted is not None:
            line = f"{index} {crc:08x} {digest}".rstrip() + "\n"
            with suppress(OSError), self._noted.open("ab", buffering=0) as file:  # or made again
                file.write(line.encode())

    def again(self, index: int, entry: Entry) -> Iterator[bytes]:
        """Read what did not pass of an entry, giving nothing but signs of life."""
        nbytes = entry.source.nbytes
        while self.whole(index) is None and nbytes:
            at = self._passed.get(index, _Passed()).nbytes
            for piece in entry.source.read(at, nbytes):
                self.passing(index, at, piece, nbytes)
                at += len(piece)
                yield b""
            if at != nbytes:
                raise Changed(entry.name)


@dataclass(frozen=True, slots=True)
class _Passed:
    """How many bytes of an entry have passed, from its start without a gap, and their sums."""

    nbytes: int = 0
    crc: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


class Layout:
    """Where each byte of an archive of these entries lies."""

    def __init__(self, entries: Sequence[Entry], checks: Checks | None = None) -> None:
        self.entries = entries
        self._checks = checks or Checks()
        self._names = [entry.name.encode() for entry in entries]
        lengths = array("Q")
        for entry, name in zip(entries, self._names, strict=True):
            large = entry.source.nbytes >= FOUR_GIB
            lengths.extend((30 + len(name) + 20 * large, entry.source.nbytes, 24 if large else 16))
        self._starts = array("Q", accumulate(lengths, initial=0))
        directory = self._starts[-1]
        for index, name in enumerate(self._names):
            extra = self._large_fields(index)
            here = 46 + len(name) + (4 + 8 * len(extra) if extra else 0)
            self._starts.append(self._starts[-1] + here)
        self._end = _end(len(entries), directory, self._starts[-1] - directory)
        self._starts.append(self._starts[-1] + len(self._end))

    @property
    def size(self) -> int:
        """The number of bytes of the archive."""
        return self._starts[-1]

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Give the archive's bytes from `start` to `stop`, in pieces.

        An empty piece says that bytes are read which were sent before. Raises Changed when a file
        is not what it was.
        """
        waiting = b""
        for piece in self._pieces(start, min(stop, self.size)):
            waiting = waiting + piece if waiting else piece
            if not piece or len(waiting) >= SMALL:
                yield waiting
                waiting = b""
        if waiting:
            yield waiting

    def _pieces(self, start: int, stop: int) -> Iterator[bytes]:
        part, n = bisect_right(self._starts, start) - 1, len(self.entries)
        while start < stop:
            first, last = self._starts[part], min(self._starts[part + 1], stop)
            inside = slice(start - first, last - first)
            if last == start:
                pass  # an empty file
            elif part == 4 * n:
                yield self._end[inside]
            elif part >= 3 * n:
                yield from self._checks.again(part - 3 * n, self.entries[part - 3 * n])
                yield self._listed(part - 3 * n)[inside]
            elif part % 3 == 0:
                yield self._header(part // 3)[inside]
            elif part % 3 == 1:
                yield from self._data(part // 3, inside.start, inside.stop)
            else:
                yield from self._checks.again(part // 3, self.entries[part // 3])
                yield self._descriptor(part // 3)[inside]
            start, part = last, part + 1

    def _data(self, index: int, start: int, stop: int) -> Iterator[bytes]:
        source = self.entries[index].source
        for piece in source.read(start, stop):
            self._checks.passing(index, start, piece, source.nbytes)
            start += len(piece)
            yield piece
        if start != stop:
            raise Changed(self.entries[index].name)

    def _crc(self, index: int) -> int:
        return self._checks.whole(index) or 0  # nothing passes of an empty file: its CRC is 0

    def _header(self, index: int) -> bytes:
        name, large = self._names[index], self.entries[index].source.nbytes >= FOUR_GIB
        sizes = FOUR_GIB if large else 0
        fields = (LARGE if large else PLAIN, FLAGS, 0, *_moment(self.entries[index].at), 0)
        more = struct.pack("<HHQQ", 1, 16, 0, 0) if large else b""
        fixed = struct.pack("<4s5H3L2H", b"PK\3\4", *fields, sizes, sizes, len(name), len(more))
        return fixed + name + more

    def _descriptor(self, index: int) -> bytes:
        nbytes = self.entries[index].source.nbytes
        form = "<4sLQQ" if nbytes >= FOUR_GIB else "<4sLLL"
        return struct.pack(form, b"PK\7\x08", self._crc(index), nbytes, nbytes)

    def _large_fields(self, index: int) -> list[int]:
        """Return what of the entry's sizes and place needs 64 bits."""
        nbytes, place = self.entries[index].source.nbytes, self._starts[3 * index]
        sizes = [nbytes, nbytes] if nbytes >= FOUR_GIB else []
        return [*sizes, place] if place >= FOUR_GIB else sizes

    def _listed(self, index: int) -> bytes:
        name, extra = self._names[index], self._large_fields(index)
        more = struct.pack(f"<HH{len(extra)}Q", 1, 8 * len(extra), *extra) if extra else b""
        nbytes = min(self.entries[index].source.nbytes, FOUR_GIB)
        place = min(self._starts[3 * index], FOUR_GIB)
        version = LARGE if extra else PLAIN
        fields = (UNIX | version, version, FLAGS, 0, *_moment(self.entries[index].at))
        sizes = (self._crc(index), nbytes, nbytes, len(name), len(more))
        rest = (0, 0, 0, READABLE, place)
        return struct.pack("<4s6H3L5H2L", b"PK\1\2", *fields, *sizes, *rest) + name + more


def _end(count: int, place: int, nbytes: int) -> bytes:
    """Return what stands behind the directory, which has `nbytes` from `place` on."""
    more = b""
    if count >= MANY or place >= FOUR_GIB or nbytes >= FOUR_GIB:
        fields = (44, UNIX | LARGE, LARGE, 0, 0, count, count, nbytes, place)
        more = struct.pack("<4sQ2H2L4Q", b"PK\6\6", *fields)
        more += struct.pack("<4sLQL", b"PK\6\7", 0, place + nbytes, 1)
    few = min(count, MANY)
    sizes = (few, few, min(nbytes, FOUR_GIB), min(place, FOUR_GIB))
    return more + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, *sizes, 0)


def _moment(at: int) -> tuple[int, int]:
    """Return time and date of a moment, in UTC: the archive is the same wherever it is made."""
    known = min(max(at, 315532800), 4354819198)  # 1980 to 2107
    when = dt.datetime.fromtimestamp(known, dt.UTC)
    day = (when.year - 1980) << 9 | when.month << 5 | when.day
    return when.hour << 11 | when.minute << 5 | when.second // 2, day
