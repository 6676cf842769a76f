"""Grey levels: how many pixels are saturated, how much of the detector's range is used, NaN.

A camera of 12 or 14 bits writes into 16: then the ceiling is where pixels pile up, at 4095 or
16383 (or shifted to the upper bits, at 65520 or 65532), not at 65535.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .sample import Tile

Array = NDArray[Any]
DEPTHS = (10, 12, 14)  # bits of a detector in a container of 16
PILED = 3.0  # times as many pixels at a ceiling as at a grey level below it
FEWEST = 8  # pixels that pile up
NEAR = 64  # grey levels below a ceiling, to compare with


@dataclass(frozen=True, slots=True)
class Levels:
    """What is known of one channel's grey levels; saturated, used and nan are parts of 1.

    ceiling: the grey level at which the detector saturates; infinite where it is not known.
    bits: of the detector. told: "file" where the file says so, "pixels" where they pile up at its
    ceiling, "range" where it is the least that holds the highest pixel. step: between two levels.
    """

    lowest: float | None
    highest: float | None
    saturated: float | None
    used: float | None
    nan: int
    infinite: int
    ceiling: float
    bits: int | None
    told: str
    step: float


def levels(tiles: list[Tile], dtype: np.dtype[Any], bits: int | None) -> Levels:
    """Return what the tiles of one channel tell; `bits` is what the file says of its detector."""
    bad = [_bad(tile.pixels) for tile in tiles]
    nan = sum(round(tile.weight * count) for tile, (count, _) in zip(tiles, bad, strict=True))
    infinite = sum(round(t.weight * count) for t, (_, count) in zip(tiles, bad, strict=True))
    ends = [_ends(tile.pixels) for tile in tiles]
    known = [pair for pair in ends if pair is not None]
    step = 1.0 if dtype.kind in "iu" else 0.0
    if not known:
        return Levels(None, None, None, None, nan, infinite, np.inf, None, "", step)
    lowest, highest = min(low for low, _ in known), max(high for _, high in known)
    ceiling, depth, told = _ceiling(tiles, dtype, bits, highest)
    saturated = used = None
    if np.isfinite(ceiling):
        saturated = _share(tiles, ceiling)
        floor = 0.0 if lowest >= 0 else float(np.iinfo(dtype).min)
        used = min(1.0, (_top(tiles) - lowest) / (ceiling - floor))
    return Levels(lowest, highest, saturated, used, nan, infinite, ceiling, depth, told, step)


def _ceiling(
    tiles: list[Tile], dtype: np.dtype[Any], bits: int | None, highest: float
) -> tuple[float, int | None, str]:
    if dtype.kind == "f":
        return np.inf, None, ""
    limit = int(np.iinfo(dtype).max)
    width = dtype.itemsize * 8 - (dtype.kind == "i")
    if bits is not None and 1 < bits < width and highest < 1 << bits:
        return float((1 << bits) - 1), bits, "file"
    if width < 15 or highest == limit:
        return float(limit), width, "pixels" if highest == limit else "range"
    for depth in DEPTHS:
        full = (1 << depth) - 1
        if highest in (full, full << (16 - depth)) and _piles(tiles, highest):
            return highest, depth, "pixels"
    for depth in (12, 14, 16):
        if highest < 1 << depth and (1 << depth) - 1 <= limit:
            return float((1 << depth) - 1), depth, "range"
    return (float(limit), width, "range") if width == 15 else (np.inf, None, "")


def _piles(tiles: list[Tile], at: float) -> bool:
    """Say whether more pixels are at this level than lead up to it."""
    full = sum(int(np.count_nonzero(tile.pixels == at)) for tile in tiles)
    if full < FEWEST:
        return False
    below: dict[int, int] = {}
    for tile in tiles:
        near = tile.pixels[(tile.pixels < at) & (tile.pixels >= at * (1 - NEAR / 1024))]
        for value, count in zip(*np.unique(near, return_counts=True), strict=True):
            below[int(value)] = below.get(int(value), 0) + int(count)
    return full > PILED * max(sorted(below.values())[len(below) // 2 :], default=0)


def _share(tiles: list[Tile], ceiling: float) -> float:
    full = sum(tile.weight * int(np.count_nonzero(tile.pixels >= ceiling)) for tile in tiles)
    return float(full / sum(tile.weight * tile.pixels.size for tile in tiles))


def _top(tiles: list[Tile]) -> float:
    """Return the brightest grey level, without the few pixels that are hot."""
    thin = [tile.pixels.ravel()[:: -(-tile.pixels.size // 20_000)] for tile in tiles]
    return max(float(np.quantile(one, 0.999, method="nearest")) for one in thin)


def _bad(pixels: Array) -> tuple[int, int]:
    """Return how many pixels are NaN, and how many infinite."""
    if pixels.dtype.kind != "f" or np.isfinite(pixels).all():
        return 0, 0
    return int(np.isnan(pixels).sum()), int(np.isinf(pixels).sum())


def _ends(pixels: Array) -> tuple[float, float] | None:
    known = pixels
    if pixels.dtype.kind == "f":
        known = pixels[np.isfinite(pixels)]
    return (float(known.min()), float(known.max())) if known.size else None
