"""Keeps the ledger: each day that is over is charged once, whichever process comes to it first.

Days that were missed because nobody ran are made good. When a day is charged, the counters of all
allocations are compared with what they count; once a night what is counted is compared with what
lies on storage. A difference is logged, and told in the usage.
"""

from __future__ import annotations

import logging

from ..core.ledger import lines, usage
from ..db import clock
from ..db.session import Sessions, reading
from ..memory.reconcile import reconcile
from ..storage import reconciled
from ..storage.roots import Folder
from .pace import Pace
from .rounds import Rounds
from .turn import Turn

log = logging.getLogger(__name__)

HELD, RENEWED = 600.0, 60.0  # seconds for one day of all projects


class Bookkeeper(Rounds):
    """Charges the days that are over, and compares with storage."""

    name, every = "bookkeeper", 3600.0

    def __init__(self, sessions: Sessions, root: Folder | None = None) -> None:
        super().__init__()
        self._sessions, self._root = sessions, root
        self._charging = Turn(sessions, "ledger", HELD)
        self._comparing = Turn(sessions, "reconcile", HELD, RENEWED)

    def look(self) -> None:
        """Do both."""
        self.charge()
        self.compare()

    def charge(self) -> int:
        """Charge the days that are over, and return how many lines that made."""
        made, pace = 0, Pace(self.stopping)
        while not self.stopping.is_set() and (added := self._next_day()) is not None:
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
        pace = Pace(self.stopping)
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
        return not self.stopping.is_set() and self._comparing.mine()

    def _next_day(self) -> int | None:
        """Charge the earliest day that is left; None: there is none, or it is another's duty."""
        with reading(self._sessions) as session:
            if not clock.trusted(session) or not lines.due(session, clock.now(session)):
                return None
        if not self._charging.mine():
            return None
        with self._sessions.begin() as session:
            now = clock.now(session)
            days = lines.due(session, now)
            return lines.accrue(session, days[0], now) or None if days else None

    def _check(self) -> None:
        with reading(self._sessions) as session:
            for count in usage.check(session):
                log.error("allocation of %s drifts: %s", count.project, count)
