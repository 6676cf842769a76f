"""Proving that the pixels on disk are the ones that a reader gave, bit for bit."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from ..errors import BadFile
from . import stores
from .layout import Block, Layout
from .roots import begin_flush

Array = NDArray[Any]
AT_ONCE = 2  # shards that are read back while one is compared
LARGE = 1 << 20  # bytes of pixels of a shard that the disk begins to write at once


class Proof:
    """Compares blocks of level 0 with what is read back from disk; it holds a few shards."""

    def __init__(self, store: Path, axes: str, cut: Layout) -> None:
        self._store, self._array = store, stores.open_level(store, 0)
        self._axes, self._shard = axes, cut.shard

    def check(self, block: Block, pixels: Array) -> None:
        """Raise BadFile unless this block of whole shards is stored as `pixels`."""
        coming: deque[tuple[Block, ts.Future[Any]]] = deque()
        for part in self._shards(block):
            if len(coming) > AT_ONCE:
                self._compare(*coming.popleft(), block, pixels)
            with ts.Batch() as batch:  # the chunks of a shard in one reading
                coming.append((part, self._array[part].read(batch=batch)))
        for part, written in coming:
            self._compare(part, written, block, pixels)

    def _shards(self, block: Block) -> Iterator[Block]:
        starts = [
            range(place.start, place.stop, width)
            for place, width in zip(block, self._shard, strict=True)
        ]
        for corner in itertools.product(*starts):
            yield tuple(
                slice(at, min(at + width, place.stop))
                for at, width, place in zip(corner, self._shard, block, strict=True)
            )

    def _compare(self, part: Block, written: ts.Future[Any], block: Block, pixels: Array) -> None:
        inside = tuple(
            slice(one.start - whole.start, one.stop - whole.start)
            for one, whole in zip(part, block, strict=True)
        )
        if not same(np.asarray(written.result()), pixels[inside]):
            place = ", ".join(f"{a}={s.start}" for a, s in zip(self._axes, part, strict=True))
            raise BadFile(f"the written image differs from the file near {place}: import it again")
        if pixels[inside].nbytes >= LARGE:
            with suppress(FileNotFoundError):  # nothing but zeros is not stored
                begin_flush(stores.shard(self._store, 0, part, self._shard))


def same(one: Array, other: Array) -> bool:
    """Say whether two arrays of one type and shape are equal in every bit: NaN and -0 too."""
    width = one.itemsize
    if _in_words(one) and _in_words(other):
        width = 8
    return bool((one.view(f"u{width}") == other.view(f"u{width}")).all())


def _in_words(pixels: Array) -> bool:
    """Say whether its rows can be looked at eight bytes at a time."""
    return (
        pixels.strides[-1] == pixels.itemsize and not pixels.shape[-1] * pixels.itemsize % 8
    ) and not any(step % pixels.itemsize for step in pixels.strides)
