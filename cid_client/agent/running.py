"""The agent at work: one thread looks at the folders, others deliver what is complete."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from ..catalog import Catalog
from ..errors import CidError
from ..wire.environment import Access
from ..wire.session import Session
from . import lock, page, telling, watchdogs
from .config import Config
from .delivery import AWAY, Tools, deliver
from .journal import Journal
from .scanning import Scanner

JOURNAL = "journal.sqlite"
SLICE = 0.5  # seconds after which a wait looks whether it is to end
FIRST, SLOWEST = 1.0, 60.0  # seconds between two questions to a catalog that is away

Say = Callable[[str], None]


class Agent:
    """Watches and delivers until `stop` is set; `now` says what goes at this moment."""

    def __init__(self, config: Config, stop: threading.Event, say: Say = print) -> None:
        self.config, self.stop, self.say = config, stop, say
        self.now: dict[int, tuple[str, float, str]] = {}
        self.wake = threading.Event()
        self._turn = threading.Lock()
        self._away_until, self._pause = 0.0, FIRST

    def run(self) -> None:
        """Work until it is stopped. Conflict: another agent has the state folder."""
        with ExitStack() as left:
            left.enter_context(lock.held(self.config.state))
            access = self.config.access()
            catalog = connected(access)
            left.callback(catalog.close)
            journal = Journal(self.config.state / JOURNAL)
            left.callback(journal.close)
            journal.tell("pid", str(os.getpid()))
            journal.tell("catalog", access.url)
            journal.tell("away", "")
            if self.config.status_port:
                left.enter_context(
                    page.served(self.config.status_port, lambda: self.shown(journal))
                )
            left.enter_context(watchdogs.waking(self.config.watched, self.wake))
            tools = Tools(self.config, journal, catalog, {})
            threads = [
                threading.Thread(target=self._deliver, args=(tools,), name=f"delivery {n}")
                for n in range(self.config.jobs)
            ]
            left.callback(self._end, threads)
            for thread in threads:
                thread.start()
            self._scan(journal)

    def shown(self, journal: Journal) -> page.Shown:
        """Return what the status page shows."""
        return page.shown(journal, list(self.now.values()))

    def _scan(self, journal: Journal) -> None:
        scanner = Scanner(self.config, journal, self.stop.is_set)
        while not self.stop.is_set():
            self.wake.clear()
            began = time.time()
            try:
                scanner.scan()
                problems = scanner.problems
            except Exception as error:  # whatever a disk does: the next scan begins anew
                problems = [f"{type(error).__name__}: {error}"]
            with suppress(Exception):
                journal.tell("scanned", f"{began:.3f} {time.time() - began:.3f}")
                journal.tell("problems", "\n".join(problems[:100]))
            deadline = time.monotonic() + self.config.timing.scan
            soonest = time.monotonic() + min(self.config.timing.scan, 1.0)
            while not self.stop.is_set() and (left := deadline - time.monotonic()) > 0:
                if self.wake.wait(min(SLICE, left)) and time.monotonic() >= soonest:
                    break
                if self.wake.is_set():
                    self.stop.wait(min(0.1, left))

    def _deliver(self, tools: Tools) -> None:
        """Bring one after the other; a catalog that is away is asked ever more slowly."""
        while not self.stop.is_set():
            row = None
            with self._turn:
                if time.monotonic() >= self._away_until:
                    row = tools.journal.due(time.time(), tuple(self.now))
                if row is not None:
                    self.now[row.id] = (row.path, 0.0, "begins")
            if row is None:
                self.stop.wait(min(SLICE, self.config.timing.scan))
                continue
            try:
                deliver(tools, row, self._teller(row.id, row.path))
                self._answered(tools.journal)
            except KeyboardInterrupt:
                return
            except AWAY as error:
                self._is_away(tools.journal, error)
            except Exception as error:  # a fault of ours: others go on, and this is told
                tools.journal.put_off(
                    row, time.time() + SLOWEST, f"{type(error).__name__}: {error}"
                )
            finally:
                self.now.pop(row.id, None)

    def _teller(self, row: int, path: str) -> Callable[[float, str], None]:
        def tell(fraction: float, text: str) -> None:
            if self.stop.is_set():
                raise KeyboardInterrupt
            self.now[row] = (path, fraction, text)

        return tell

    def _answered(self, journal: Journal) -> None:
        with self._turn:
            was_away, self._pause, self._away_until = self._pause > FIRST, FIRST, 0.0
        if was_away:
            journal.tell("away", "")
            self.say("the catalog answers again")

    def _is_away(self, journal: Journal, error: CidError) -> None:
        with self._turn:
            if time.monotonic() < self._away_until:
                return
            self._away_until = time.monotonic() + self._pause
            first, self._pause = self._pause == FIRST, min(self._pause * 2, SLOWEST)
        why = telling.away(error)
        journal.tell("away", why)
        if first:
            self.say(f"waiting: {why}")

    def _end(self, threads: list[threading.Thread]) -> None:
        self.stop.set()
        for thread in threads:
            thread.join()


def connected(access: Access) -> Catalog:
    """Return the catalog that an agent speaks with."""
    return Catalog(Session(access))


def stopping(stop: threading.Event) -> Any:
    """Return a handler of signals that ends an agent."""

    def end(number: int, frame: object) -> None:
        stop.set()

    return end
