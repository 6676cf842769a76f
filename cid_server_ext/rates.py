"""How many requests one person may send: a bucket of tokens for each, in this process."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .errors import TooMany

KEPT = 10_000  # buckets; full ones are forgotten first


@dataclass(slots=True)
class Rates:
    """`rate` requests a second for long, `burst` at once, each person alone."""

    rate: float
    burst: int
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)  # tokens, as of
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str) -> None:
        """Take one token, or raise TooMany with the seconds after which there is one again."""
        with self._lock:
            now = self.clock()
            tokens, then = self._buckets.get(name, (float(self.burst), now))
            tokens = min(float(self.burst), tokens + (now - then) * self.rate)
            if tokens < 1:
                self._buckets[name] = (tokens, now)
                wait = max(1, math.ceil((1 - tokens) / self.rate))
                raise TooMany(f"more than {self.rate:g} requests a second: go on in {wait} s", wait)
            self._buckets[name] = (tokens - 1, now)
            if len(self._buckets) > KEPT:
                self._forget(now)

    def _forget(self, now: float) -> None:
        """Forget whoever has been away long enough for a full bucket; else whoever came first."""
        full = self.burst / self.rate
        self._buckets = {n: b for n, b in self._buckets.items() if now - b[1] < full}
        while len(self._buckets) > KEPT:
            del self._buckets[next(iter(self._buckets))]
