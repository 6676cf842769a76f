"""What a run that is under way still takes: what runs take, given that it has not ended yet."""

from __future__ import annotations

import numpy as np

from .forecast import Floats, Forecast
from .schedule import DRAWS

TRUST = 0.5  # in the cells that are done: they are not equally long
BEYOND = 0.25  # of what it took so far, for one that is slower than all before it


def left(
    forecast: Forecast,
    pixels: Floats,
    elapsed: Floats,
    fraction: Floats,
    random: np.random.Generator,
) -> Floats:
    """Return the seconds that each run still takes in each draw: (draws, runs).

    `fraction` of each is done after `elapsed` seconds; the further it is the more that counts.
    """
    whole = np.log(forecast.drawn(pixels, DRAWS, random))
    told = np.log(np.maximum(elapsed, 0.1) / np.clip(fraction, 0.01, 1.0))
    counts = TRUST * np.clip(fraction, 0.0, 1.0)
    whole = np.exp((1 - counts) * whole + counts * told)
    return np.column_stack(
        [_after(whole[:, one], float(elapsed[one]), random) for one in range(len(pixels))]
    )


def _after(whole: Floats, elapsed: float, random: np.random.Generator) -> Floats:
    """Return the rest of the draws that are longer; those that are not become one of them."""
    longer = whole[whole > elapsed]
    if len(longer) < len(whole) // 50:
        return np.asarray(random.exponential(BEYOND * max(elapsed, 1.0), len(whole)), np.float64)
    drawn = np.where(whole > elapsed, whole, random.choice(longer, len(whole)))
    return np.asarray(drawn - elapsed, np.float64)
