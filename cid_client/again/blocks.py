"""Two arrays of one shape, read side by side, block by block: memory stays bounded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput

Array = NDArray[Any]
LARGEST = 1 << 24  # pixels of one block


def pairs(before: Any, after: Any) -> Iterator[tuple[Array, Array]]:
    """Yield the same block of both, along the chunks of the first. Numpy or dask, any dtype.

    Raises BadInput where their shapes differ.
    """
    if tuple(before.shape) != tuple(after.shape):
        sizes = [" × ".join(map(str, one.shape)) for one in (before, after)]
        raise BadInput(f"their shapes differ: {sizes[0]} and {sizes[1]}")
    for place in _places(before):
        yield np.asarray(before[place]), np.asarray(after[place])


def _places(array: Any) -> Iterator[tuple[slice, ...]]:
    chunks = getattr(array, "chunks", None) or [(size,) for size in array.shape]
    widths = _within([max(axis, default=1) for axis in chunks])
    axes = [
        [slice(at, min(at + width, size)) for at in range(0, size, width)]
        for size, width in zip(array.shape, widths, strict=True)
    ]
    yield from itertools.product(*axes)


def _within(widths: Sequence[int]) -> list[int]:
    """Return widths whose block has at most LARGEST pixels: the first axes are cut first."""
    cut = [max(1, width) for width in widths]
    for axis, width in enumerate(cut):
        others = int(np.prod(cut, dtype=np.int64)) // width
        if others * width > LARGEST:
            cut[axis] = max(1, LARGEST // others)
    return cut
