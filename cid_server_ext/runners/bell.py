"""Wakes a conductor when something is queued: PostgreSQL tells, SQLite is looked at more often."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ..core.queue.wake import CHANNEL
from ..db.session import Sessions

log = logging.getLogger("cid.conductor")

SQLITE_SECONDS = 0.2
AGAIN_SECONDS = 5.0
LISTEN_SECONDS = 1.0  # between two looks whether to end


class Bell:
    """Something to wait on for at most `every` seconds."""

    def __init__(self, sessions: Sessions, every: float) -> None:
        self._engine: Engine = sessions.kw["bind"]
        self._rung, self._over = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        listens = self._engine.dialect.name == "postgresql"
        self._every = every if listens else min(every, SQLITE_SECONDS)
        if listens:
            self._thread = threading.Thread(target=self._listen, name="bell", daemon=True)
            self._thread.start()

    def ring(self) -> None:
        """Wake who waits."""
        self._rung.set()

    def wait(self) -> None:
        """Return when somebody rings, or after a while."""
        self._rung.wait(self._every)
        self._rung.clear()

    def close(self) -> None:
        """Listen no more."""
        self._over.set()
        self._rung.set()
        if self._thread is not None:
            self._thread.join(2 * LISTEN_SECONDS)

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                pooled = self._engine.raw_connection()
                driver = pooled.driver_connection
                pooled.detach()  # it waits here, and goes back to no pool
                self._hear(driver)
            except Exception as error:  # polling goes on without it
                told = error.orig if isinstance(error, DBAPIError) else error
                log.warning("nothing tells of new runs for a while: %s", told)
                self._over.wait(AGAIN_SECONDS)

    def _hear(self, driver: Any) -> None:
        with contextlib.closing(driver):
            driver.rollback()
            driver.autocommit = True
            driver.execute(f"LISTEN {CHANNEL}")
            while not self._over.is_set():
                for _ in driver.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                    self._rung.set()
