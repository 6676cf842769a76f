"""How many seconds an image of so many pixels takes, from runs that took so many.

Seconds follow pixels by a power: a line in logarithms, its slope by Theil and Sen, which a few odd
runs do not turn. What single runs differ from it is kept as it is and drawn from by rank, as in
conformal prediction: of n runs and a next one each rank is as likely. So nothing is assumed of its
shape, and few runs give a wide interval by themselves. What is uncertain of the line itself is
drawn once for all runs of a batch: they would all be wrong together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEW = 5  # below, the ranks say nothing yet
USUAL_SLOPE, SLOPE_SPREAD = 0.8, 0.3  # what templates do whose runs are all of one size
USUAL_SPREAD, WORTH = 0.6, 3.0  # log seconds, and for how many runs that stands
LEAST_SPREAD = 0.03  # no machine is steadier
SHORTEST = 0.5  # seconds
SEED = 2026  # of all draws: the same question has the same answer


@dataclass(frozen=True, slots=True)
class Forecast:
    """A line through the logarithms of pixels and seconds, and what runs differ from it."""

    runs: int
    middle: float  # log pixels of the run in the middle
    level: float  # log seconds there
    level_spread: float
    slope: float
    slope_spread: float
    differ: Floats  # log seconds, by rank, with one more at each end
    most: float  # seconds after which a run is ended

    def drawn(self, pixels: Floats, draws: int, random: np.random.Generator) -> Floats:
        """Return what each image may take in each draw: seconds, (draws, images)."""
        away = np.log(np.maximum(pixels, 1.0)) - self.middle
        level = self.level + self.level_spread * random.standard_normal((draws, 1))
        slope = self.slope + self.slope_spread * random.standard_normal((draws, 1))
        ranks = random.random((draws, len(pixels))) * (len(self.differ) - 1)
        own = np.interp(ranks, np.arange(len(self.differ)), self.differ)
        logs = np.clip(level + slope * away + own, math.log(SHORTEST), math.log(self.most))
        return np.asarray(np.exp(logs), np.float64)


def pixels(images: Sequence[Any]) -> Floats:
    """Return the pixels of each image, all planes and channels: it is asked for its shape."""
    return np.array([math.prod(image.shape) for image in images], np.float64)


def fit(pixels: Floats, seconds: Floats, most: float) -> Forecast | None:
    """Return the forecast that these runs give, or None: there are none."""
    if not len(seconds):
        return None
    x, y = np.log(np.maximum(pixels, 1.0)), np.log(np.maximum(seconds, SHORTEST))
    middle = float(np.median(x))
    slope, slope_spread = _slope(x - middle, y)
    level = float(np.median(y - slope * (x - middle)))
    differ = y - slope * (x - middle) - level
    spread = _spread(differ)
    guessed = 1 + 2 / len(y) if len(y) >= FEW else 1.0  # below, the spread is a wide one anyway
    return Forecast(
        runs=len(y),
        middle=middle,
        level=level,
        level_spread=spread * 1.25 / math.sqrt(len(y)) * guessed,  # of a median
        slope=slope,
        slope_spread=slope_spread,
        differ=_ranks(differ, spread),
        most=max(most, 2 * SHORTEST),
    )


def _slope(x: Floats, y: Floats) -> tuple[float, float]:
    """Return the slope and its spread; where sizes differ little it stays near the usual one."""
    apart = x[:, None] - x[None, :]
    pairs = apart > 0.05
    if not pairs.any():
        return USUAL_SLOPE, SLOPE_SPREAD
    seen = float(np.median((y[:, None] - y[None, :])[pairs] / apart[pairs]))
    noise = _spread(y - seen * x - np.median(y - seen * x)) ** 2
    known, usual = float(np.sum(x**2)) / noise, 1 / SLOPE_SPREAD**2
    slope = (seen * known + USUAL_SLOPE * usual) / (known + usual)
    return min(max(slope, 0.0), 2.0), 1 / math.sqrt(known + usual)


def _spread(differ: Floats) -> float:
    """Return the standard deviation; of few runs it stays near the usual one.

    Of many it is that of most of them: a tail is in the ranks.
    """
    if len(differ) < FEW:
        squares = WORTH * USUAL_SPREAD**2 + float(np.sum(differ**2))
        return math.sqrt(squares / (WORTH + len(differ) - 1))
    few = math.sqrt(len(differ) / (len(differ) - 2))  # two numbers were chosen to make it small
    return max(float(np.median(np.abs(differ))) * 1.4826 * few, LEAST_SPREAD)


def _ranks(differ: Floats, spread: float) -> Floats:
    """Return what runs differ, the least first, and at each end what a next one might."""
    if len(differ) < FEW:
        normal = NormalDist(0, spread)
        return np.array([normal.inv_cdf(rank / 40) for rank in range(1, 40)])
    fitted = np.sort(differ) * math.sqrt(len(differ) / (len(differ) - 2))
    beyond = max(float(fitted[-1] - fitted[0]) / (len(fitted) - 1), LEAST_SPREAD)
    return np.concatenate(([fitted[0] - beyond], fitted, [fitted[-1] + 2 * beyond]))
