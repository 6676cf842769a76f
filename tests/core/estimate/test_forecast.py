"""What runs will take is told as an interval that holds, and no wider than it must be."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
import pytest

from cid_server_ext.core.estimate import forecast, going, said, schedule
from cid_server_ext.core.estimate.forecast import Floats, Forecast

DAY = 86_400.0
Noise = Callable[[np.random.Generator, int], Floats]
NOISE: dict[str, Noise] = {
    "constant": lambda random, n: np.ones(n),
    "usual": lambda random, n: np.exp(0.25 * random.standard_normal(n)),
    "heavy": lambda random, n: np.exp(0.7 * random.standard_t(3, n)),  # one in fifty: 20 times
}


def images(random: np.random.Generator, n: int, noise: Noise) -> tuple[Floats, Floats]:
    """Images between 0.1 and 100 megapixels, and the seconds that each takes."""
    pixels = np.exp(random.uniform(np.log(1e5), np.log(1e8), n))
    return pixels, np.minimum(0.5 * (pixels / 1e4) ** 0.7 * noise(random, n), DAY)


def truth(seconds: Floats, workers: int) -> float:
    """When the last one ends, each given to the first free worker."""
    free = [0.0] * workers
    for each in seconds:
        heapq.heapreplace(free, free[0] + float(each))
    return max(free)


def predicted(by: Forecast, pixels: Floats, workers: int) -> tuple[float, float, float]:
    free = schedule.start(workers, np.zeros(schedule.DRAWS))
    ends = schedule.run(free, by, pixels, np.random.default_rng(0)).max(axis=1)
    low, likely, high = np.quantile(ends, [0.1, 0.5, 0.9])
    return float(low), float(likely), float(high)


@pytest.mark.parametrize("batch", [1, 20])
@pytest.mark.parametrize("noise", NOISE)
def test_the_interval_of_80_percent_holds_the_truth_in_70_of_100(noise: str, batch: int) -> None:
    held, widths = 0, []
    for seed in range(100):
        random = np.random.default_rng((seed, batch))
        by = forecast.fit(*images(random, 40, NOISE[noise]), DAY)
        assert by is not None
        pixels, seconds = images(random, batch, NOISE[noise])
        low, likely, high = predicted(by, pixels, 4)
        held += low <= truth(seconds, 4) <= high
        widths.append((high - low) / likely)
    assert held >= 70, f"{held} of 100 batches"
    if noise == "constant":
        assert np.median(widths) <= 0.2
    if noise == "usual":
        assert np.median(widths) <= 1.0


@pytest.mark.parametrize("known", [1, 2, 4])
def test_of_few_runs_it_holds_too_and_is_wide(known: int) -> None:
    held, widths = 0, []
    for seed in range(100):
        random = np.random.default_rng((seed, known))
        by = forecast.fit(*images(random, known, NOISE["usual"]), DAY)
        assert by is not None
        pixels, seconds = images(random, 6, NOISE["usual"])
        low, likely, high = predicted(by, pixels, 2)
        held += low <= truth(seconds, 2) <= high
        widths.append((high - low) / likely)
    assert held >= 70, f"{held} of 100 batches"
    assert np.median(widths) > 0.8


def test_of_no_run_nothing_is_known() -> None:
    assert forecast.fit(np.array([]), np.array([]), DAY) is None


def test_a_few_odd_runs_do_not_turn_it() -> None:
    random = np.random.default_rng(1)
    pixels, seconds = images(random, 40, NOISE["constant"])
    by = forecast.fit(pixels, seconds, DAY)
    seconds[:6] *= 50
    odd = forecast.fit(pixels, seconds, DAY)
    assert by is not None
    assert odd is not None
    assert (by.slope, odd.slope) == pytest.approx((0.7, 0.7), abs=0.05)
    assert odd.level == pytest.approx(by.level, abs=0.1)


def test_no_run_is_told_to_take_longer_than_it_may() -> None:
    by = forecast.fit(np.array([1e6] * 8), np.array([50.0] * 8), 60.0)
    assert by is not None
    assert predicted(by, np.array([1e9]), 1)[2] <= 60.0 * (1 + 1e-9)


def test_a_thousand_runs_are_scheduled_as_if_one_by_one() -> None:
    random = np.random.default_rng(3)
    by = forecast.fit(*images(random, 60, NOISE["usual"]), DAY)
    assert by is not None
    pixels, seconds = images(random, 1000, NOISE["usual"])
    low, likely, high = predicted(by, pixels, 8)
    assert low <= truth(seconds, 8) <= high
    assert (high - low) / likely < 0.5


def test_work_fills_the_freest_workers_first() -> None:
    free = np.array([[0.0, 10.0, 100.0], [5.0, 5.0, 5.0]])
    filled = schedule.poured(free, np.array([30.0, 6.0]))
    assert filled.tolist() == [[20.0, 20.0, 100.0], [7.0, 7.0, 7.0]]
    one = schedule.poured(free[:1], np.array([4.0]))
    assert one.tolist() == [[4.0, 10.0, 100.0]]


def test_what_is_left_shrinks_as_a_run_goes_on() -> None:
    random = np.random.default_rng(4)
    by = forecast.fit(*images(random, 40, NOISE["usual"]), DAY)
    assert by is not None
    pixels = np.array([1e7])
    whole = float(np.median(by.drawn(pixels, 500, np.random.default_rng(0))))

    def left(elapsed: float, fraction: float) -> float:
        drawn = going.left(
            by, pixels, np.array([elapsed]), np.array([fraction]), np.random.default_rng(0)
        )
        assert (drawn >= 0).all()
        return float(np.median(drawn))

    assert left(0.0, 0.0) == pytest.approx(whole, rel=0.1)
    assert left(whole / 2, 0.5) < left(whole / 4, 0.25) < whole
    assert left(whole / 2, 0.9) < left(whole / 2, 0.1), "cells that are done count"
    assert 0 < left(whole * 20, 0.5) < whole * 20, "one that is slower than all before it"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        ((30.0, 40.0, 70.4), "about 40 s (30 to 70)"),
        ((480.0, 720.0, 1200.0), "about 12 min (8 to 20)"),
        ((5000.0, 9000.0, 14000.0), "about 2.5 h (1.5 to 4)"),
        ((2e5, 3e5, 5e5), "about 3.5 d (2.5 to 6)"),
        ((600.0, 601.0, 602.0), "about 10 min"),
    ],
)
def test_times_are_told_in_one_unit(seconds: tuple[float, float, float], text: str) -> None:
    assert said.interval(*seconds) == text
