"""Each pixel with what is around it: its own value, its neighbours' mean, noise, and slope.

The filters are such that what one tells does not depend on the noise that another tells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
REACH = 2  # pixels that a filter looks at on each side


@dataclass(frozen=True, slots=True)
class Pixels:
    """Single pixels with what is around them, each independent of the pixel's own noise.

    around, beside: means of its 24, and of its 8 neighbours. own: its value. corner: noise at the
    highest frequencies. side: noise along x. slope: square of the local gradient. None of them is
    NaN but corner and side, where a neighbour is saturated.
    """

    around: Array
    beside: Array
    own: Array
    corner: Array
    side: Array
    slope: Array

    def __getitem__(self, chosen: Any) -> Pixels:
        return Pixels(*(getattr(self, name)[chosen] for name in NAMES))


NAMES = ("around", "beside", "own", "corner", "side", "slope")


def span(tiles: list[Array]) -> tuple[float, float] | None:
    """Return an origin and a unit in which grey levels are near 0 to 1."""
    parts = [tile.ravel()[:: max(1, tile.size >> 13)].astype(np.float64) for tile in tiles]
    thin = np.concatenate([np.zeros(0), *parts])
    thin = thin[np.isfinite(thin)]
    if thin.size == 0:
        return None
    low, high = (float(value) for value in np.quantile(thin, (0.01, 0.999)))
    width = high - low
    if not width > 0:  # objects are few, or it is constant
        low, high = float(thin.min()), float(thin.max())
        width = high - low
    good = 0 < width < math.inf and width > abs(low) * 1e-12
    return (low, width) if good else None


def pixels(told: tuple[Array, float, float], ceiling: float) -> Pixels | None:
    """Return the pixels of a tile with an origin and a unit, but those at its edge; or None."""
    tile, low, width = told
    if min(tile.shape) <= 2 * REACH:
        return None
    with np.errstate(all="ignore"):
        flat = ((tile - np.float64(low)) / width).astype(np.float32)
        bad = ~(np.abs(flat) < 1e4)  # NaN and inf, and what is out of all proportion
        full = flat >= ceiling
    flat[bad] = 0
    middle = flat[REACH:-REACH, REACH:-REACH]
    columns, rows = _five(flat, 0), _five(flat, 1)
    box = _five(columns, 1)
    across = columns[:, 3:-1] + columns[:, 4:] - columns[:, 1:-3] - columns[:, :-4]
    along = rows[3:-1] + rows[4:] - rows[1:-3] - rows[:-4]
    side = _fourth(flat, 1)
    corner = _fourth(side, 0) / np.float32(70)
    side = side[REACH:-REACH] / np.float32(math.sqrt(70))
    if full.any():
        touched = _five(_five(full.astype(np.float32), 0), 1) > 0
        corner[touched] = side[touched] = np.nan
    found = Pixels(
        ((box - middle) / np.float32(24)).ravel(),
        ((_three(_three(flat, 0), 1) - middle) / np.float32(8)).ravel(),
        middle.ravel(),
        corner.ravel(),
        side.ravel(),
        (across**2 + along**2).ravel(),
    )
    if bad.any():
        return found[~(_five(_five(bad.astype(np.float32), 0), 1) > 0).ravel()]
    return found


def _five(pixels: Array, axis: int) -> Array:
    """Return sums of five neighbours along an axis."""
    p = pixels if axis == 0 else pixels.T
    out = p[:-4] + p[1:-3] + p[2:-2] + p[3:-1] + p[4:]
    return np.asarray(out if axis == 0 else out.T)


def _three(pixels: Array, axis: int) -> Array:
    """Return sums of three neighbours along an axis, without the last pixel at each end."""
    p = pixels if axis == 0 else pixels.T
    out = p[1:-3] + p[2:-2] + p[3:-1]
    return np.asarray(out if axis == 0 else out.T)


def _fourth(pixels: Array, axis: int) -> Array:
    """Return fourth differences along an axis; their weights squared sum to 70."""
    p = pixels if axis == 0 else pixels.T
    out = p[:-4] + p[4:] - 4 * (p[1:-3] + p[3:-1]) + 6 * p[2:-2]
    return np.asarray(out if axis == 0 else out.T)
