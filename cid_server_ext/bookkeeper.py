"""Keeps the ledger: each day that is over is charged once, whichever process comes to it first.

Days that were missed because nobody ran are made good. When a day is charged, the counters of all
allocations are compared with what they count; once a night what is counted is compared with what
lies on storage. A difference is logged, and told in the usage.
"""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy.exc import IntegrityError

from .core import duties
from .core.ledger import lines, usage
from .db import clock
from .db.session import Sessions, reading
from .memory.reconcile import reconcile
from .pace import Pace
from .storage import reconciled
from .storage.roots import Folder

log = logging.getLogger(__name__)

EVERY = 3600.0  # seconds between two looks
DUTY, HELD = "ledger", 600.0  # seconds for one day of all projects
COMPARING = "reconcile"  # the duty of comparing with storage
RENEWED = 60.0  # seconds after which it is taken again, while it lasts


class Bookkeeper:
    """A thread that looks for days to charge until it is closed."""

    def __init__(self, sessions: Sessions, root: Folder | None = None) -> None:
        self._sessions = sessions
        self._root = root
        self._took = -RENEWED
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
        made, pace = 0, Pace(self._stop)
        while not self._stop.is_set() and (added := self._next_day()) is not None:
            made += added
            pace.rest()
        if made:
            self._check()
        return made

    def compare(self) -> bool:
        """Compare with storage what the catalog counts, if nobody has tonight; tell if it was done.

        A night begins when its day is charged, an hour after midnight UTC.
        """
        if self._root is None or not self._due(self._root) or not self._mine():
            return False
        pace = Pace(self._stop)
        found = reconcile(self._sessions, self._root, lambda: pace.rest() and self._mine())
        if found is None:
            return False
        reconciled.keep(self._root.root, found)
        for uid, keys in found.differing.items():
            name, nbytes = found.names[uid], found.drift_of(uid)
            log.error("storage of project %s drifts by %s bytes: %s", name, nbytes, keys)
        return True

    def _due(self, root: Folder) -> bool:
        with reading(self._sessions) as session:
            night = (clock.now(session) - lines.MARGIN).date()
        last = reconciled.kept(root.root)
        return last is None or (last.began - lines.MARGIN).date() < night

    def _mine(self) -> bool:
        if self._stop.is_set():
            return False
        if time.monotonic() - self._took < RENEWED:
            return True
        with self._sessions.begin() as session:
            mine = duties.take(session, COMPARING, self._holder, HELD)
        self._took = time.monotonic() if mine else -RENEWED
        return mine

    def _next_day(self) -> int | None:
        """Charge the earliest day that is left; None: there is none, or it is another's duty."""
        with reading(self._sessions) as session:
            if not clock.trusted(session) or not lines.due(session, clock.now(session)):
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
                self.compare()
            except IntegrityError:  # another process charged the same day; the next look goes on
                log.info("a day was charged by another process")
            except Exception as error:  # the next look tries again
                log.warning("keeping the ledger: %s", type(error).__name__)
            if self._stop.wait(EVERY):
                return
