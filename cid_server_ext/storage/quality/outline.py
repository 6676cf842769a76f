"""The whole image at a glance: its last level read once, a few numbers of each plane kept."""

from __future__ import annotations

import hashlib
import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from .. import stores
from ..layout import CHUNK

Array = NDArray[Any]
Index = tuple[int, ...]  # of a plane, along the axes before y and x
READ = 128 << 20  # bytes of the last level that are read; of more, neighbours evenly chosen
AT_ONCE = 16 << 20  # bytes
WIDEST = 1024  # pixels of a plane of the last level


@dataclass(frozen=True, slots=True)
class Stack:
    """Level 0 of a store and its last level with as many planes.

    Its planes are 256 pixels wide at most; those of stores that others wrote are thinned out.
    """

    axes: str
    level0: ts.TensorStore
    last: ts.TensorStore

    @classmethod
    def of(cls, store: Path) -> Stack:
        """Open the image at `store`."""
        multiscale = stores.group(store)["multiscales"][0]
        axes = "".join(axis["name"] for axis in multiscale["axes"])
        levels = (stores.open_array(store / one["path"]) for one in multiscale["datasets"][::-1])
        level0 = stores.open_array(store / multiscale["datasets"][0]["path"])
        last = next(level for level in levels if level.shape[:-2] == level0.shape[:-2])
        step = max(1, max(last.shape[-2:]) // WIDEST)
        return cls(axes, level0, last[..., ::step, ::step])

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of level 0."""
        return tuple(int(size) for size in self.level0.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a pixel."""
        return np.dtype(self.level0.dtype.numpy_dtype)

    @property
    def channels(self) -> int:
        """How many channels it has; without an axis c there is one."""
        return self.shape[self.axes.index("c")] if "c" in self.axes else 1

    def channel(self, plane: Index) -> int:
        """Return which channel a plane belongs to."""
        return plane[self.axes.index("c")] if "c" in self.axes else 0

    def read(self, plane: Index, corner: tuple[slice, slice]) -> ts.Future[Any]:
        """Begin to read a part of a plane of level 0."""
        place: tuple[Any, ...] = (*plane, *corner)
        return self.level0[place].read()

    def plane(self, plane: Index) -> Array:
        """Return a whole plane of level 0."""
        return np.asarray(self.level0[plane].read().result())


@dataclass(frozen=True, slots=True)
class Glance:
    """One plane on the last level: equal planes have equal digests; `bright` is by tile (y, x)."""

    plane: Index
    digest: bytes
    constant: bool
    bright: Array


def glances(stack: Stack) -> list[Glance]:
    """Look at each plane; at pairs of neighbours, evenly chosen, of an image with too many."""
    found: list[Glance] = []
    sizes = stack.shape[:-2]
    nbytes = math.prod(stack.last.shape[-2:]) * stack.dtype.itemsize
    room, count = max(64, READ // nbytes), math.prod(sizes)
    if count <= room:
        chosen = list(itertools.product(*map(range, sizes)))
    else:  # along the last axis neighbours follow each other
        starts = (int(at * count / (room // 2)) for at in range(room // 2))
        numbers = sorted({n for start in starts for n in (start, min(start + 1, count - 1))})
        chosen = [tuple(map(int, np.unravel_index(number, sizes))) for number in numbers]
    step = max(1, AT_ONCE // nbytes)
    for start in range(0, len(chosen), step):
        part = chosen[start : start + step]
        coming = [stack.last[plane].read() for plane in part]
        for plane, one in zip(part, coming, strict=True):
            found.append(_glance(stack, plane, np.ascontiguousarray(one.result())))
    return found


def corners(stack: Stack) -> list[tuple[slice, slice]]:
    """Return the places (y, x) of the tiles of a plane."""
    height, width = stack.shape[-2:]
    return [
        (slice(y, min(y + CHUNK, height)), slice(x, min(x + CHUNK, width)))
        for y in range(0, height, CHUNK)
        for x in range(0, width, CHUNK)
    ]


def _glance(stack: Stack, plane: Index, pixels: Array) -> Glance:
    bits = pixels.view(np.uint8)
    # a NaN differs from itself, so that planes are compared by their bytes
    first = bits.reshape(-1)[: pixels.itemsize]
    constant = bool((bits.reshape(-1, pixels.itemsize) == first).all())
    digest = hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()
    return Glance(plane, digest, constant, _bright(stack, pixels))


def _bright(stack: Stack, pixels: Array) -> Array:
    """Return the highest value of each tile, minus infinity where there is none."""
    height, width = stack.shape[-2:]
    known = pixels
    if pixels.dtype.kind == "f":
        known = np.where(np.isfinite(pixels), pixels, -np.inf)
    rows = [int(y * pixels.shape[0] / height) for y in range(0, height, CHUNK)]
    columns = [int(x * pixels.shape[1] / width) for x in range(0, width, CHUNK)]
    return np.asarray(np.maximum.reduceat(np.maximum.reduceat(known, rows, 0), columns, 1))
