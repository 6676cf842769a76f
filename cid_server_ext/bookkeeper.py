"""Keeps the ledger: each day that is over is charged once, whichever process comes to it first.

Days that were missed because nobody ran are made good. When a day is charged, the counters of all
allocations are compared with what they count, and a difference is logged.
"""

from __future__ import annotations

import logging
import threading

from sqlalchemy.exc import IntegrityError

from .core import duties
from .core.ledger import lines, usage
from .db import clock
from .db.session import Sessions, reading

log = logging.getLogger(__name__)

EVERY = 3600.0  # seconds between two looks
DUTY, HELD = "ledger", 600.0  # seconds for one day of all projects


class Bookkeeper:
    """A thread that looks for days to charge until it is closed."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._holder = duties.myself()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="bookkeeper", daemon=True)

    def start(self) -> Bookkeeper:
        """Begin; the first look is now."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop; what is left is charged at the next start."""
        self._stop.set()
        self._thread.join(10)

    def look(self) -> int:
        """Charge the days that are over, and return how many lines that made."""
        made = 0
        while not self._stop.is_set() and (added := self._next_day()) is not None:
            made += added
        if made:
            self._check()
        return made

    def _next_day(self) -> int | None:
        """Charge the earliest day that is left; None: there is none, or it is another's duty."""
        with reading(self._sessions) as session:
            if not lines.due(session, clock.now(session)):
                return None
        with self._sessions.begin() as session:
            now = clock.now(session)
            if not duties.take(session, DUTY, self._holder, HELD):
                return None
            days = lines.due(session, now)
            return lines.accrue(session, days[0], now) or None if days else None

    def _check(self) -> None:
        with reading(self._sessions) as session:
            for count in usage.check(session):
                log.error("allocation of %s drifts: %s", count.project, count)

    def _keep(self) -> None:
        while True:
            try:
                self.look()
            except IntegrityError:  # another process charged the same day; the next look goes on
                log.info("a day was charged by another process")
            except Exception as error:  # the next look tries again
                log.warning("keeping the ledger: %s", type(error).__name__)
            if self._stop.wait(EVERY):
                return
