"""When the last of many runs ends on a few workers: each takes the next run when it is free.

Computed for all draws at once. The last runs of a batch are scheduled one by one, since the end
hangs on them; those before fill the workers evenly.
"""

from __future__ import annotations

import numpy as np

from .forecast import Floats, Forecast

ONE_BY_ONE = 160
SAMPLE = 100  # of very many images, those that are drawn
DRAWS = 300


def start(workers: int, at: Floats) -> Floats:
    """Return since when each worker is free in each draw, (draws, workers): all at once."""
    return np.tile(np.reshape(at, (-1, 1)), (1, max(workers, 1)))


def run(free: Floats, forecast: Forecast, pixels: Floats, random: np.random.Generator) -> Floats:
    """Return since when each worker is free once these images were run in their order."""
    before, last = pixels[:-ONE_BY_ONE], pixels[-ONE_BY_ONE:]
    if len(before):
        free = poured(free, work(forecast, before, random))
    return listed(free, forecast.drawn(last, len(free), random))


def work(forecast: Forecast, pixels: Floats, random: np.random.Generator) -> Floats:
    """Return the seconds that these images take together in each draw."""
    step = max(-(-len(pixels) // SAMPLE), 1)
    drawn = forecast.drawn(pixels[::step], DRAWS, random)
    return np.asarray(drawn.mean(axis=1) * len(pixels), np.float64)


def listed(free: Floats, seconds: Floats) -> Floats:
    """Return the workers after runs of so many seconds, (draws, runs), each given to the first."""
    free = free.copy()
    rows = np.arange(len(free))
    for each in seconds.T:
        free[rows, free.argmin(axis=1)] += each
    return free


def poured(free: Floats, seconds: Floats) -> Floats:
    """Return the workers after so many seconds of work, (draws,), that fill the freest first."""
    level = np.sort(free, axis=1)
    count = np.arange(1, free.shape[1] + 1)
    full = (level.cumsum(axis=1) + seconds[:, None]) / count  # if the first `count` took it all
    taking = np.where(full >= level, count, 1).max(axis=1)
    top = full[np.arange(len(free)), taking - 1]
    return np.asarray(np.maximum(free, top[:, None]), np.float64)
