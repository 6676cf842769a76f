"""Halving an image in y and x: the mean for pixels that measure, a choice for pixels that name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def halve(pixels: Array, kind: str) -> Array:
    """Return (..., y, x) as (..., ceil(y/2), ceil(x/2)), dtype kept.

    kind "image": the mean of the four pixels (of those that exist at an odd edge), integers
    rounded half up, NaN only where all four are NaN. kind "labels": the upper left pixel of the
    four, because the mean of two names is the name of a third.
    """
    if kind == "labels":
        return np.ascontiguousarray(pixels[..., ::2, ::2])
    even = _with_even_edges(pixels)
    four = (even[..., i::2, j::2] for i in (0, 1) for j in (0, 1))
    return _float_mean(*four) if pixels.dtype.kind == "f" else _integer_mean(*four)


def _with_even_edges(pixels: Array) -> Array:
    """Repeat an odd last row or column: the mean of four is then the mean of those that exist."""
    odd = [(0, 0)] * (pixels.ndim - 2) + [(0, size % 2) for size in pixels.shape[-2:]]
    return np.pad(pixels, odd, mode="edge") if any(after for _, after in odd) else pixels


def _integer_mean(a: Array, b: Array, c: Array, d: Array) -> Array:
    if a.dtype.itemsize < 8:
        wide = np.dtype(f"{a.dtype.kind}{2 * a.dtype.itemsize}")
        total = np.add(a, b, dtype=wide)
        total += c
        total += d
        total += 2
        total >>= 2  # floor, for negative numbers too
        return total.astype(a.dtype)
    # Nothing wider exists: sum the quarters, then what the quarters left.
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
