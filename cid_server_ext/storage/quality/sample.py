"""Which pixels of an image are looked at: the same ones each time, and few of a large image.

An image is cut into tiles of one plane, at most 512 x 512 pixels. A small image is looked at
whole. Of a large one half of the tiles are the brightest of each channel, as its last level tells,
and half are spread evenly over the others; what is counted is weighted, so that the bright ones
count for themselves only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layout import CHUNK
from .outline import Glance, Stack, corners

Array = NDArray[Any]
WHOLE = 1 << 20  # pixels: so large an image is looked at whole
PART = 64  # of a larger one this part is, but not fewer and
MOST = 1 << 22  # not more pixels than this
LEAST = 2  # tiles of each channel
AT_ONCE = 48 << 20  # bytes of one channel's tiles


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of one plane that was read; it stands for `weight` tiles."""

    plane: tuple[int, ...]
    corner: tuple[slice, slice]
    weight: float
    pixels: Array


def tiles(stack: Stack, seen: list[Glance]) -> list[Tile]:
    """Read the tiles of one channel that are looked at; `seen` are its planes."""
    cut = corners(stack)
    height, width = stack.shape[-2:]
    per = min(height, CHUNK) * min(width, CHUNK)
    total = math.prod(stack.shape)
    room = total if total <= WHOLE else min(MOST, max(WHOLE, total // PART))
    count = min(max(LEAST, room // stack.channels // per), AT_ONCE // (per * stack.dtype.itemsize))
    every = len(seen) * len(cut)
    numbers = dict.fromkeys(range(every), 1.0) if every <= count else _chosen(seen, count)
    places = [
        (seen[at // len(cut)].plane, cut[at % len(cut)], weight)
        for at, weight in sorted(numbers.items())
    ]
    coming = [stack.read(plane, corner) for plane, corner, _ in places]
    return [
        Tile(*place, np.asarray(one.result())) for place, one in zip(places, coming, strict=True)
    ]


def _chosen(seen: list[Glance], count: int) -> dict[int, float]:
    """Return numbers of tiles with their weights."""
    bright = np.concatenate([np.asarray(glance.bright, float).ravel() for glance in seen])
    order = np.argsort(-bright, kind="stable")
    first = [int(at) for at in order[: count // 2]]
    rest = np.sort(order[count // 2 :])
    even = sorted({int(rest[at]) for at in spread(len(rest), count - len(first))})
    return dict.fromkeys(first, 1.0) | dict.fromkeys(even, len(rest) / len(even))


def spread(size: int, count: int) -> list[int]:
    """Return at most `count` whole numbers below `size`, evenly apart."""
    return sorted({int((at + 0.5) * size / count) for at in range(count)})
