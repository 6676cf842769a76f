"""OME-TIFF: the directories of all planes, OME-XML, then the pixels of each level, uncompressed.

Planes come as z, c, t in OME's XYZCT: z first. Little-endian; BigTIFF from 4 GiB on. Planes wider
than WIDE come as tiles, with their pyramid in SubIFDs. Every place is arithmetic, so any range can
be given without those before it; the OME-XML is filled up with blanks to a length known beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from ...errors import BadInput
from . import describing
from .directory import (
    ASCII,
    CLASSIC_ENDS,
    LONG,
    LONG8,
    RATIONAL,
    SHORT,
    Elsewhere,
    Tag,
    directory,
    header,
    rational,
)
from .picture import Picture
from .pieces import Pieces, constant, repeated
from .planes import Planes
from .said import Said

WIDE = 2048  # pixels: a larger plane is looked at in parts
TILE = 512
FORMATS = {"u": 1, "i": 2, "f": 3}
UNKNOWN = {"int64", "uint64"}  # to OME
CENTIMETER = 3


def as_ome_tiff(picture: Picture, said: Said) -> Pieces:
    """Return the bytes of an image as OME-TIFF. BadInput: OME has no such numbers."""
    if picture.dtype.name in UNKNOWN:
        raise BadInput(f"OME-TIFF has no {picture.dtype.name}: take it as ome-zarr")
    classic = _File(picture, said, big=False)
    file = classic if classic.nbytes < CLASSIC_ENDS else _File(picture, said, big=True)
    return file.pieces()


class _File:
    """Where everything lies."""

    def __init__(self, picture: Picture, said: Said, *, big: bool) -> None:
        self.picture, self.said, self.big = picture, said, big
        outer = "tz" if picture.rgb else "tcz"
        wide = max(picture.size("y"), picture.size("x")) > WIDE
        levels = range(len(picture.shapes) if wide else 1)
        tile = TILE if wide else 0
        dtype = picture.dtype.newbyteorder("<")
        self.levels = [Planes(picture, level, outer, dtype, tile) for level in levels]
        self.head = 16  # the header, filled up
        self.room = describing.room(picture, said)
        self.each = 0
        self.each = max(len(self._directories(plane)) for plane in range(min(2, self.count)))

    @property
    def count(self) -> int:
        """How many planes level 0 has."""
        return self.levels[0].count

    @property
    def text_at(self) -> int:
        """Where the OME-XML lies."""
        return self.head + self.count * self.each

    @property
    def nbytes(self) -> int:
        """The length of the file."""
        return self._level_at(len(self.levels))

    def pieces(self) -> Pieces:
        """Return the file."""
        start = header(self.big, self.head).ljust(self.head, b"\0")
        filled = repeated(self.count, self.each, self._filled)
        described = (self.room, self._description)
        pixels = [(level.nbytes, level.read) for level in self.levels]
        fill = constant(bytes(self._level_at(0) - self.text_at - self.room))
        return Pieces([constant(start), filled, described, fill, *pixels])

    @cached_property
    def _text(self) -> bytes:
        return describing.described(self.picture, self.said, self.count, self.room)

    def _description(self, start: int, stop: int) -> Iterator[bytes]:
        yield self._text[start:stop]

    def _filled(self, plane: int) -> bytes:
        return self._directories(plane).ljust(self.each, b"\0")

    def _level_at(self, level: int) -> int:
        before = sum(one.nbytes for one in self.levels[:level])
        end = self.text_at + self.room
        return end + -end % 16 + before

    def _directories(self, plane: int) -> bytes:
        """Return the directory of a plane and behind it those of its smaller levels."""
        at = self.head + plane * self.each
        following = at + self.each if plane + 1 < self.count else 0
        first, *smaller = range(len(self.levels))
        own = self._tags(plane, first)
        if not smaller:
            return directory(self.big, at, own, following)
        offsets = LONG8 if self.big else LONG
        length = len(directory(self.big, at, [*own, (330, offsets, [0] * len(smaller))], following))
        places, found = [], b""
        for level in smaller:
            places.append(at + length + len(found))
            found += directory(self.big, places[-1], self._tags(plane, level))
        return directory(self.big, at, [*own, (330, offsets, places)], following) + found

    def _tags(self, plane: int, level: int) -> list[Tag]:
        picture, pixels = self.picture, self.levels[level]
        samples, bits = pixels.samples, 8 * pixels.dtype.itemsize
        tags: list[Tag] = [
            (254, LONG, [1 if level else 0]),
            (256, LONG, [pixels.width]),
            (257, LONG, [pixels.height]),
            (258, SHORT, [bits] * samples),
            (259, SHORT, [1]),
            (262, SHORT, [2 if samples == 3 else 1]),
            (277, SHORT, [samples]),
            (284, SHORT, [1]),
            (339, SHORT, [FORMATS[pixels.dtype.kind]] * samples),
        ]
        if plane == 0 and level == 0:
            tags.append((270, ASCII, Elsewhere(self.room, self.text_at)))
        if {"y", "x"} <= picture.scale.keys():
            y, x = (1e4 / (picture.scale[axis] * 2**level) for axis in "yx")
            tags += [(282, RATIONAL, rational(x)), (283, RATIONAL, rational(y))]
            tags.append((296, SHORT, [CENTIMETER]))
        return tags + self._places(plane, level)

    def _places(self, plane: int, level: int) -> list[Tag]:
        pixels, offsets = self.levels[level], LONG8 if self.big else LONG
        at = self._level_at(level) + plane * pixels.plane_bytes if self.each else 0
        if not pixels.tile:
            nbytes = pixels.plane_bytes
            return [(273, offsets, [at]), (278, LONG, [pixels.height]), (279, offsets, [nbytes])]
        count = pixels.tiles[0] * pixels.tiles[1]
        places = range(at, at + count * pixels.tile_bytes, pixels.tile_bytes)
        return [
            (322, LONG, [pixels.tile]),
            (323, LONG, [pixels.tile]),
            (324, offsets, places),
            (325, LONG, [pixels.tile_bytes] * count),
        ]
