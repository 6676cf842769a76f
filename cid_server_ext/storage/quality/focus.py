"""How fine the structure of an image is: its mean spatial frequency, without its noise.

The energy of the gradient (Tenengrad: Krotkov, Int. J. Comput. Vis. 1:223, 1988) over the variance
of the grey levels (normalised as in Groen et al., Cytometry 6:81, 1985) is, by Parseval, the mean
square of the spatial frequency. What noise adds to both is known and taken off. So brightness,
offset, contrast and exposure do not change it, and images of one kind of sample and pixel size
can be compared. 1 would be structure that changes from pixel to pixel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
PASSED = 2 * 12 / 64  # noise left in the gradient: squared weights of two (1 2 1) x (-1 0 1) / 8
CERTAIN = 0.02  # signal must be more than this part of the noise


def focus(tiles: list[Array], variance: float | None, ceiling: float) -> float | None:
    """Return the mean frequency as a part of the highest one (0.5 per pixel), or None.

    variance: of the noise, as the noise of the same tiles tells; None: not known, nothing is
    taken off. Saturated pixels and what is no number are left out.
    """
    energy, spread = energies(tiles, variance or 0.0, ceiling)
    noise = variance or 0.0
    if not spread > CERTAIN * noise or not energy > 0.2 * CERTAIN * noise:
        return None
    if not (0 < energy < math.inf and 0 < spread < math.inf):
        return None
    return min(1.0, math.sqrt(energy / spread) / math.pi)


def energies(tiles: list[Array], variance: float, ceiling: float) -> tuple[float, float]:
    """Return the mean square of the gradient and the variance, both without noise; 0 if none."""
    sums = np.zeros(5)
    origin: float | None = None
    for tile in tiles:
        if min(tile.shape) < 3:
            continue
        good = np.isfinite(tile) & (tile < ceiling)
        if not good.any():
            continue
        if origin is None:
            origin = float(np.median(tile[good][:: max(1, tile.size >> 12)]))
        with np.errstate(all="ignore"):
            pixels = (tile - np.asarray(origin, np.float64)).astype(np.float32)
            pixels[~good] = 0
            down = pixels[:-2] + 2 * pixels[1:-1] + pixels[2:]
            over = pixels[:, :-2] + 2 * pixels[:, 1:-1] + pixels[:, 2:]
            square = ((down[:, 2:] - down[:, :-2]) / 8) ** 2
            square += ((over[2:] - over[:-2]) / 8) ** 2
            if not good.all():
                square = square[_inner(good)]
            parts = (
                square.sum(dtype=np.float64),
                square.size,
                pixels.sum(dtype=np.float64),
                np.square(pixels).sum(dtype=np.float64),
                np.count_nonzero(good),
            )
            sums += np.array(parts, float)
    if not sums[1] or not np.isfinite(sums).all():
        return 0.0, 0.0
    energy = sums[0] / sums[1] - variance * PASSED
    spread = sums[3] / sums[4] - (sums[2] / sums[4]) ** 2 - variance
    return max(0.0, float(energy)), max(0.0, float(spread))


def _inner(good: Array) -> Array:
    """Return which pixels have only good neighbours."""
    rows = good[:-2] & good[1:-1] & good[2:]
    return np.asarray(rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:])
