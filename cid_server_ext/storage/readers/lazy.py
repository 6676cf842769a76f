"""Pixels that are read when asked for: a plane, or some rows of a large one, at a time."""

from __future__ import annotations

import itertools
import math
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...errors import BadFile

PIECE = 64 << 20  # bytes that are decoded at once
MOST_PLANES = 1 << 21
SIDE = 2048  # pixels of the pieces of a plane that is too large to be decoded at once

# (index on each axis before y and x, rows, columns) -> the pixels of that window
Read = Callable[[tuple[int, ...], slice, slice], NDArray[Any]]


def lazy(
    shape: tuple[int, ...],
    dtype: DTypeLike,
    read: Read,
    *,
    whole: bool = False,
    together: tuple[int, ...] = (),
) -> da.Array:
    """Return dask pixels of `shape` (its last axes are y and x) that `read` gives window by window.

    A chunk is a plane, or a window of it when a plane takes more than 64 MiB. `whole`: the file
    decodes only whole planes; `together`: how many it decodes at once, on each axis before y.
    """
    kind = np.dtype(dtype)
    height, width = shape[-2:]
    if math.prod(shape[:-2]) > MOST_PLANES:
        raise BadFile(f"it claims {math.prod(shape[:-2])} planes, more than any real image")
    if not whole and height * width * kind.itemsize > PIECE:
        height, width = min(height, SIDE), min(width, SIDE)
    pixels = _Pixels(tuple(shape), kind, read)
    planes = together or tuple(1 for _ in shape[:-2])
    chunks = (*planes, max(height, 1), max(width, 1))
    return da.from_array(pixels, chunks=chunks, name=False, asarray=True, fancy=False)


def latest(read: Callable[..., NDArray[Any]]) -> Callable[..., NDArray[Any]]:
    """Remember what `read` gave last: colour samples of one window are asked for in a row."""
    kept: list[tuple[Any, NDArray[Any]]] = []

    def again(*asked: Any) -> NDArray[Any]:
        if not kept or kept[0][0] != asked:
            kept[:] = [(asked, read(*asked))]
        return kept[0][1]

    return again


class _Pixels:
    """What dask slices; it keeps alive what `read` needs."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], read: Read) -> None:
        self.shape, self.dtype, self.ndim, self.read = shape, dtype, len(shape), read

    def __getitem__(self, place: Any) -> NDArray[Any]:
        given = place if isinstance(place, tuple) else (place,)
        given = (*given, *(slice(None) for _ in range(self.ndim - len(given))))
        parts = [
            range(size)[part] if isinstance(part, slice) else range(part, part + 1)
            for part, size in zip(given, self.shape, strict=True)
        ]
        shape = [len(part) for part in parts]
        found = self._found(parts, shape) if math.prod(shape) else np.empty(shape, self.dtype)
        drop = tuple(at for at, part in enumerate(given) if not isinstance(part, slice))
        return found.squeeze(drop) if drop else found

    def _found(self, parts: list[range], shape: list[int]) -> NDArray[Any]:
        rows, columns = (slice(part[0], part[-1] + 1, part.step) for part in parts[-2:])
        if math.prod(shape[:-2]) == 1:  # as it was read: a copy costs as much as reading it
            index = tuple(part[0] for part in parts[:-2])
            return np.asarray(self.read(index, rows, columns), self.dtype).reshape(shape)
        found = np.empty(shape, self.dtype)
        for at in itertools.product(*(range(size) for size in shape[:-2])):
            index = tuple(part[one] for part, one in zip(parts[:-2], at, strict=True))
            found[at] = self.read(index, rows, columns)
        return found


class Strides:
    """Raw pixels of a file, each at offset + the sum of index * step: no copy but the window's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.open("rb", buffering=0)
        weakref.finalize(self, self.file.close)
        self.size = path.stat().st_size

    def part(self, start: int, count: int) -> bytes:
        """Return `count` bytes from `start` on; BadFile past the end."""
        data = os.pread(self.file.fileno(), count, start)
        if len(data) != count:
            raise BadFile("it is truncated: a part of its header lies past its end. Copy it again")
        return data

    def require(self, end: int) -> None:
        """Refuse a file that ends before `end`, and say how much of it is missing."""
        if end > self.size:
            raise BadFile(
                f"it is truncated: {end - self.size:,} of {end:,} bytes are missing. Copy it again"
            )

    def window(
        self, offset: int, steps: tuple[int, int], dtype: np.dtype[Any], rows: slice, columns: slice
    ) -> NDArray[Any]:
        """Return rows and columns of the plane that begins at `offset`; BadFile past the end."""
        down, right = steps
        height, width = rows.stop - rows.start, columns.stop - columns.start
        start = offset + rows.start * down + columns.start * right
        nbytes = (height - 1) * down + (width - 1) * right + dtype.itemsize
        data = np.empty(max(0, nbytes), np.uint8)  # unlike bytes it has large pages
        if start < 0 or os.preadv(self.file.fileno(), [data], start) != nbytes:
            raise BadFile("it is truncated: some of its pixels lie past its end. Copy it again")
        view: NDArray[Any] = np.ndarray((height, width), dtype, data, 0, (down, right))
        return view[:: rows.step or 1, :: columns.step or 1]
