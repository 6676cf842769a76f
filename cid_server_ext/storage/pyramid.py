"""Halving an image in y and x: the mean for pixels that measure, a choice for pixels that name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
IN_CACHE = 256 << 10  # bytes


def halve(pixels: Array, kind: str) -> Array:
    """Return (..., y, x) as (..., ceil(y/2), ceil(x/2)), dtype kept.

    kind "image": the mean of the four pixels (of those that exist at an odd edge), integers
    rounded half up, NaN only where all four are NaN. kind "labels": the upper left pixel of the
    four, because the mean of two names is the name of a third.
    """
    if kind == "labels":
        return np.ascontiguousarray(pixels[..., ::2, ::2])
    even = _with_even_edges(pixels)
    if pixels.dtype.kind in "iu" and pixels.dtype.itemsize < 8:
        return _integer_mean(even)
    four = (even[..., i::2, j::2] for i in (0, 1) for j in (0, 1))
    return _float_mean(*four) if pixels.dtype.kind == "f" else _long_mean(*four)


def _with_even_edges(pixels: Array) -> Array:
    """Repeat an odd last row or column: the mean of four is then the mean of those that exist."""
    odd = [(0, 0)] * (pixels.ndim - 2) + [(0, size % 2) for size in pixels.shape[-2:]]
    return np.pad(pixels, odd, mode="edge") if any(after for _, after in odd) else pixels


def _integer_mean(pixels: Array) -> Array:
    """Sum in a type that is twice as wide, some rows at a time: what is between stays in cache."""
    *above, height, width = pixels.shape
    halved = np.empty((*above, height // 2, width // 2), pixels.dtype)
    out, pairs = halved.reshape(-1, width // 2), pixels.reshape(-1, 2, width)
    wide = np.dtype(f"{pixels.dtype.kind}{2 * pixels.dtype.itemsize}")
    step = max(1, IN_CACHE // (width * wide.itemsize))
    for start in range(0, len(pairs), step):
        two = pairs[start : start + step]
        rows = np.add(two[:, 0], two[:, 1], dtype=wide)
        total = rows[:, ::2] + rows[:, 1::2]
        total += 2
        total >>= 2  # floor, for negative numbers too
        out[start : start + step] = total
    return halved


def _long_mean(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Sum the quarters, then what the quarters left, for nothing wider exists."""
    quarters = (a >> 2) + (b >> 2) + (c >> 2) + (d >> 2)
    rests = (a & 3) + (b & 3) + (c & 3) + (d & 3) + 2
    return np.asarray(quarters + (rests >> 2), dtype=a.dtype)


def _float_mean(a: Array, b: Array, c: Array, d: Array) -> Array:
    quarter = a.dtype.type(0.25)  # before the sum, which could overflow
    with np.errstate(all="ignore"):
        mean = a * quarter + b * quarter + c * quarter + d * quarter
        if np.isnan(mean).any():
            four = np.stack([a, b, c, d])
            known = ~np.isnan(four)
            total = np.where(known, four, 0).sum(axis=0, dtype=np.float64)
            some = (total / known.sum(axis=0)).astype(a.dtype)
            mean = np.where(np.isnan(mean), some, mean)
    return np.asarray(mean, dtype=a.dtype)
