from __future__ import annotations

import threading

import pytest

from cid_server_ext.errors import TooMany
from cid_server_ext.rates import KEPT, Rates


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(rates: Rates, name: str, most: int = 1000) -> int:
    """Return how many requests pass before the first that does not."""
    for n in range(most):
        try:
            rates.take(name)
        except TooMany:
            return n
    return most


def test_a_burst_passes_and_then_the_rate() -> None:
    clock = Clock()
    rates = Rates(5, 20, clock)
    assert taken(rates, "a") == 20
    clock.now += 2
    assert taken(rates, "a") == 10
    clock.now += 3600
    assert taken(rates, "a") == 20


def test_one_person_does_not_take_anothers() -> None:
    rates = Rates(5, 20, Clock())
    assert taken(rates, "a") == 20
    assert taken(rates, "b") == 20


def test_whoever_waits_as_told_is_let_in() -> None:
    clock = Clock()
    rates = Rates(0.5, 1, clock)
    rates.take("a")
    with pytest.raises(TooMany, match="go on in 2 s") as caught:
        rates.take("a")
    assert caught.value.retry_after == 2
    clock.now += caught.value.retry_after
    rates.take("a")


def test_very_many_names_take_bounded_room_and_open_no_way_round() -> None:
    clock = Clock()
    rates = Rates(5, 20, clock)
    for n in range(KEPT + 500):
        rates.take(f"name {n}")
    assert len(rates._buckets) <= KEPT
    clock.now += 1
    assert taken(rates, "late") == 20


def test_threads_get_no_more_than_the_burst() -> None:
    rates = Rates(1, 50, Clock())
    passed: list[int] = []
    threads = [threading.Thread(target=lambda: passed.append(taken(rates, "a"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 50
