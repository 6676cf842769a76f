"""Questions that people ask of a facility, what its columns say of them, and how long they took."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from _facility import PEOPLE, TERMS, Made

from cid_server_ext.core.actor import Actor

HEAD = ("Objective", "Cell type", "Microscope")  # keys whose most frequent value is asked for


@dataclass
class Times:
    """Seconds of each question, and how many of them this process was at work itself."""

    of: dict[str, list[float]] = field(default_factory=dict)
    own: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, work: Callable[[], Any]) -> Any:
        began, worked = time.perf_counter(), time.thread_time()
        answer = work()
        self.own.setdefault(name, []).append(time.thread_time() - worked)
        self.of.setdefault(name, []).append(time.perf_counter() - began)
        return answer

    def clear(self) -> None:
        self.of.clear()
        self.own.clear()

    def p50(self, name: str) -> float:
        return statistics.median(self.of[name])

    def p95(self, name: str) -> float:
        return float(np.quantile(self.of[name], 0.95))


@dataclass(frozen=True)
class Case:
    """One person's question, and what the columns say of it."""

    made: Made
    person: str
    key: str
    word: int
    image: int

    @property
    def actor(self) -> Actor:
        return Actor(self.person)

    @property
    def head(self) -> str:
        return f'"{self.key}":"{self.text(self.made.first[self.key])}"'

    def text(self, value: int) -> str:
        return self.made.values[value - 1][2]

    def tagged(self) -> np.ndarray:
        term = list(TERMS).index(self.key)
        return self.made.mine(self.person) & (self.made.value[term] == self.made.first[self.key])

    def named(self) -> np.ndarray:
        return self.made.mine(self.person) & (self.made.name == self.word).any(axis=0)

    def microscopes(self) -> list[tuple[str, int]]:
        """Return the microscopes of the head tag's images with their numbers, as facets do."""
        found = np.bincount(self.made.value[0][self.tagged()], minlength=len(self.made.values) + 1)
        order = sorted(np.flatnonzero(found), key=lambda value: (-found[value], value))
        return [(self.text(int(value)), int(found[value])) for value in order]

    def top(self, number: int) -> list[int]:
        values = self.made.value[:, self.made.mine(self.person)]
        return sorted(np.bincount(values.ravel()).tolist(), reverse=True)[:number]


def cases(made: Made) -> Iterator[Case]:
    """Yield questions of people drawn with a seed."""
    pick = random.Random(11)
    while True:
        yield Case(
            made,
            f"u{pick.randrange(PEOPLE):03}",
            pick.choice(HEAD),
            pick.choice([1, 2, 5, 50, 500, 5000]),
            pick.randint(1, made.images),
        )
