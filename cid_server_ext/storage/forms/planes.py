"""The pixels of one level in the order of a file, read block by block from any byte on.

Planes lie one after the other, each as its rows or as its tiles. A block is what is decoded at
once: some planes, some rows or tiles of one; it begins where a stored chunk does, so that who reads
on decodes each chunk once. While one is sent the next is read; nothing else is in memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from .. import stores
from .picture import Picture
from .pieces import PIECE

BLOCK = 8 << 20  # bytes of one block
MOST = 64 << 20  # of one row of chunks; of a wider one a part is decoded, several times

Array = NDArray[Any]
Box = list[tuple[int, int]]


@dataclass(frozen=True)
class Planes:
    """One level: its planes in the order of `outer`, the last axis first, as `dtype`.

    tile: pixels of a tile's side; 0: rows. Tiles at the edge are filled with 0.
    """

    picture: Picture
    level: int
    outer: str
    dtype: np.dtype[Any]
    tile: int = 0
    sizes: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        sizes = tuple(self.picture.size(axis, self.level) for axis in self.outer)
        object.__setattr__(self, "sizes", sizes)

    @property
    def height(self) -> int:
        """Rows of a plane."""
        return self.picture.size("y", self.level)

    @property
    def width(self) -> int:
        """Pixels of a row."""
        return self.picture.size("x", self.level)

    @property
    def samples(self) -> int:
        """Numbers of a pixel: three where the channels are not among the planes."""
        return 1 if "c" in self.outer else self.picture.size("c")

    @property
    def tiles(self) -> tuple[int, int]:
        """How many tiles a plane has, in y and x."""
        return -(-self.height // self.tile), -(-self.width // self.tile)

    @property
    def tile_bytes(self) -> int:
        """Bytes of one tile."""
        return self.tile * self.tile * self.samples * self.dtype.itemsize

    @property
    def plane_bytes(self) -> int:
        """Bytes of one plane."""
        if self.tile:
            return math.prod(self.tiles) * self.tile_bytes
        return self.height * self.width * self.samples * self.dtype.itemsize

    @property
    def count(self) -> int:
        """How many planes there are."""
        return math.prod(self.sizes)

    @property
    def nbytes(self) -> int:
        """Bytes of all planes."""
        return self.count * self.plane_bytes

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Give these bytes."""
        block = self._begin(start, stop)
        while start < stop:
            first, last, box, pixels = block
            if last < stop:
                block = self._begin(last, stop)
            pixels.exception()  # waits
            self.picture.watch(self.level, box)
            made = memoryview(self._made(pixels.result())).cast("B")
            end = min(last, stop)
            for at in range(start - first, end - first, PIECE):
                yield bytes(made[at : min(at + PIECE, end - first)])
            start = end

    @cached_property
    def _array(self) -> ts.TensorStore:
        return stores.open_array(self.picture.store / self.picture.paths[self.level])

    @cached_property
    def _chunk_height(self) -> int:
        chunk = self._array.chunk_layout.read_chunk.shape
        return min(int(chunk[self.picture.axes.index("y")]), self.height)

    def _begin(self, start: int, stop: int) -> tuple[int, int, Box, ts.Future[Array]]:
        """Begin to read the block at `start`; return where it lies, and its pixels to come."""
        plane, inside = divmod(start, self.plane_bytes)
        within = min(self.plane_bytes, inside + stop - start)
        rows, columns = slice(0, self.height), slice(0, self.width)
        place, count = self._run(plane, 1)
        first, last = 0, self.plane_bytes
        if self.tile:
            rows, columns, first, last = self._tile_block(inside, within)
        elif self.plane_bytes > BLOCK:
            rows, first, last = self._row_block(inside, within)
        else:
            wanted = -(-(inside + stop - start) // self.plane_bytes)
            place, count = self._run(plane, min(wanted, BLOCK // self.plane_bytes))
            last = count * self.plane_bytes
        place |= {"y": rows, "x": columns}
        chosen = self._array[tuple(place.get(axis, slice(None)) for axis in self.picture.axes)]
        at = plane * self.plane_bytes
        box = list(zip(chosen.domain.inclusive_min, chosen.domain.exclusive_max, strict=True))
        return at + first, at + last, box, chosen.read()

    def _run(self, plane: int, most: int) -> tuple[dict[str, slice], int]:
        """Return (where planes from this one on lie, how many): at most `most` in one box."""
        place, count, growing = {}, 1, True
        rest = plane
        for axis, size in zip(reversed(self.outer), reversed(self.sizes), strict=True):
            rest, at = divmod(rest, size)
            taken = min(size - at, max(1, most // count)) if growing else 1
            growing = growing and taken == size
            place[axis] = slice(at, at + taken)
            count *= taken
        return place, count

    def _row_block(self, inside: int, within: int) -> tuple[slice, int, int]:
        """Return some rows of a plane and where their bytes begin and end in it."""
        row = self.plane_bytes // self.height
        step = self._chunk_height
        if step * row > MOST:
            step = max(1, MOST // row)
        first = inside // row // step * step
        end = (max(BLOCK // row, step) // step * step) + first
        end = min(end, self.height, -(-within // row))
        return slice(first, end), first * row, end * row

    def _tile_block(self, inside: int, within: int) -> tuple[slice, slice, int, int]:
        """Return some tiles of a plane and where their bytes begin and end in it."""
        across = self.tiles[1]
        tile, end = inside // self.tile_bytes, -(-within // self.tile_bytes)
        most = max(1, BLOCK // self.tile_bytes)
        row, column = divmod(tile, across)
        if column == 0 and min(most, end - tile) >= across:  # whole rows of tiles
            down = min(most, end - tile) // across
            stop = tile + down * across
            columns = slice(0, self.width)
        else:
            down, stop = 1, min(tile + most, end, (row + 1) * across)
            last = min((column + stop - tile) * self.tile, self.width)
            columns = slice(column * self.tile, last)
        rows = slice(row * self.tile, min((row + down) * self.tile, self.height))
        return rows, columns, tile * self.tile_bytes, stop * self.tile_bytes

    def _made(self, pixels: Array) -> Array:
        """Return pixels in the order of the file, as its numbers."""
        axes = self.picture.axes
        order = [*(axis for axis in self.outer if axis in axes), "y", "x"]
        order += ["c"] if "c" in axes and "c" not in self.outer else []
        turned = pixels.transpose([axes.index(axis) for axis in order])
        if self.tile:
            turned = self._tiled(turned.reshape(*turned.shape[-3:]) if self.samples > 1 else turned)
        return np.ascontiguousarray(turned, dtype=self.dtype)

    def _tiled(self, plane: Array) -> Array:
        """Cut rows of one plane into tiles."""
        side, samples = self.tile, self.samples
        height, width = plane.shape[-3:-1] if samples > 1 else plane.shape[-2:]
        down, across = -(-height // side), -(-width // side)
        whole = np.zeros((down * side, across * side, samples), self.dtype)
        whole[:height, :width] = plane.reshape(height, width, samples)
        cut = whole.reshape(down, side, across, side, samples)
        return cut.transpose(0, 2, 1, 3, 4)
