"""Imports on a Dask cluster: one embedded in this process, a scheduler's, or a Gateway's.

It is opened by the first import that needs it, and a Gateway's is closed after some time without
any. Each child is an actor (`bench.py`), so all decisions stay here: what Dask loses is known at
once and done again by the Worker. A cluster that is away fails no file; the import waits for it.
"""

from __future__ import annotations

import logging
import threading
import time
from asyncio import CancelledError
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from distributed import Client

from ..errors import Conflict
from .bench import Bench, Distant
from .children import bounds
from .limits import Limits
from .workers import Worker

log = logging.getLogger(__name__)

IDLE = 120.0  # seconds without an import, after which a Gateway's cluster is closed
BEAT = 10.0  # seconds between two signs of life
RETRY = 5.0  # seconds between two attempts to open a cluster
TURN = 0.5  # seconds between two looks while one waits
WAITING = "waiting for a worker"


class Opened(Protocol):
    """A cluster that runs."""

    client: Client

    def grow(self, workers: int) -> None:
        """Ask for so many machines."""

    def close(self) -> None:
        """Let go of it."""


class Cluster:
    """A workshop whose children are on the machines of a Dask cluster."""

    def __init__(
        self,
        opens: Callable[[], Opened],
        *,
        width: int,
        spread: bool = False,
        idle: float | None = None,
        place: tuple[Path, Path] | None = None,
    ) -> None:
        self.width, self.spread = width, spread
        self._opens, self._idle, self._place = opens, idle, place
        # two imports at once; machines of their own have one child each
        self._seats = threading.Semaphore(width if spread else 16 * width)
        self._lock = threading.Lock()
        self._opening: Future[Opened] | None = None
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="import cluster")
        self._closed = threading.Event()
        self._keeper: threading.Thread | None = None
        self._lent = self._asked = 0
        self._used = time.monotonic()

    def worker(
        self,
        limits: Limits,
        should_stop: Callable[[], bool],
        on_wait: Callable[[str], None] = lambda text: None,
    ) -> Worker:
        """Return a worker whose children are lent by the cluster."""

        def wait() -> None:
            if self._closed.is_set() or should_stop():
                raise Conflict("the import was stopped")
            on_wait(WAITING)

        return Worker(limits, should_stop, lambda: self._lend(limits, wait))

    def close(self) -> None:
        """Close what was opened here; nothing of it is left when this returns."""
        self._closed.set()
        if self._keeper is not None:
            self._keeper.join()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._drop()

    # --- lending ------------------------------------------------------------------------------

    def _lend(self, limits: Limits, wait: Callable[[], None]) -> Distant:
        """Return a child as soon as there is a machine for it."""
        while not self._seats.acquire(timeout=TURN):
            wait()
        with self._lock:
            self._lent += 1
        try:
            while True:
                if (child := self._started(limits, wait)) is not None:
                    return child
        except BaseException:
            self._freed()
            raise

    def _started(self, limits: Limits, wait: Callable[[], None]) -> Distant | None:
        """Return a child, or None when the cluster went away meanwhile."""
        future = None
        try:
            opened = _waited(self._running().result, wait)
            with self._lock:
                more, self._asked = self._lent > self._asked, max(self._lent, self._asked)
            if more:
                opened.grow(self._asked)
            client = opened.client
            future = client.submit(Bench, bounds(limits), actor=True, pure=False)
            with client.as_current():
                actor = _waited(future.result, wait, lambda: client.status == "running")
            [machine] = client.who_has([future])[future.key]
            return Distant(client, future, actor, machine, self._moved, self._freed)
        except (Exception, CancelledError) as error:
            if future is not None:
                future.release()
            if isinstance(error, Conflict):
                raise
            log.warning("import cluster: %s", " ".join(str(error).split())[:300])
        wait()
        self._closed.wait(TURN)
        return None

    def _freed(self) -> None:
        with self._lock:
            self._lent -= 1
            self._used = time.monotonic()
        self._seats.release()

    def _moved(self, said: Any) -> Any:
        """Return what a job says; a path below the storage as the machines know it."""
        if self._place is None or not isinstance(said, str):
            return said
        here, there = self._place
        return (
            str(there / Path(said).relative_to(here)) if Path(said).is_relative_to(here) else said
        )

    # --- the cluster --------------------------------------------------------------------------

    def _running(self) -> Future[Opened]:
        """Return the cluster, or one that is being opened instead of one that is gone."""
        with self._lock:
            old = self._opening
            if old is None or _gone(old):
                self._asked = 0
                self._opening = self._threads.submit(self._open, old)
                if self._keeper is None:
                    name = "import cluster's keeper"
                    self._keeper = threading.Thread(target=self._keep, name=name, daemon=True)
                    self._keeper.start()
            return self._opening  # type: ignore[return-value]

    def _open(self, old: Future[Opened] | None) -> Opened:
        if old is not None:
            _shut(old)
        try:
            return self._opens()
        except BaseException:
            self._closed.wait(RETRY)
            raise

    def _keep(self) -> None:
        """Give signs of life while children work, for an actor is no task; close what idles."""
        while not self._closed.wait(BEAT):
            with self._lock:
                lent, opening = self._lent, self._opening
                idles = time.monotonic() - self._used
            if opening is None or not opening.done() or _gone(opening):
                continue
            if lent:
                with suppress(Exception):
                    opening.result().client.submit(int, pure=False)
            elif self._idle is not None and idles > self._idle:
                self._drop(unless_lent=True)

    def _drop(self, *, unless_lent: bool = False) -> None:
        with self._lock:
            if unless_lent and self._lent:
                return
            opening, self._opening = self._opening, None
        if opening is not None:
            _shut(opening)


def _waited(
    result: Callable[[float], Any],
    wait: Callable[[], None],
    hopeful: Callable[[], bool] = lambda: True,
) -> Any:
    """Return a result as soon as it is there, and say meanwhile that one waits."""
    while True:
        try:
            return result(TURN)
        except TimeoutError:
            wait()
            if not hopeful():
                raise


def _gone(opening: Future[Opened]) -> bool:
    if not opening.done():
        return False
    return opening.exception() is not None or opening.result().client.status != "running"


def _shut(opening: Future[Opened]) -> None:
    if opening.done() and not opening.cancelled() and opening.exception() is None:
        try:
            opening.result().close()
        except Exception as error:
            log.warning("import cluster: it may not be closed: %s", error)
