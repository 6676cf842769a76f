"""Begins the next steps of chains within a second of a run's end; any process may."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from ..core.steps import follow
from ..db.session import Sessions, reading
from .rounds import Rounds

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds


class Stepper(Rounds):
    """Looks for runs whose next step is due.

    Two processes may find the same run: the row's lock lets one begin what follows. `queued` hears
    of new runs.
    """

    name, every, first, patience = "stepper", EVERY, EVERY, 30.0

    def __init__(self, sessions: Sessions, queued: Callable[[], None]) -> None:
        super().__init__()
        self._sessions, self._queued = sessions, queued
        self._left: set[int] = set()  # at which we stumbled: the next start tries them again

    def look(self) -> int:
        """Begin what is due and may begin; return how many runs that are."""
        with reading(self._sessions) as session:
            due = follow.due(session)
        begun = 0
        for run_id in due:
            if self.stopping.is_set():
                break
            if run_id not in self._left:
                begun += self._begin(run_id)
        if begun:
            self._queued()
        return begun

    def _begin(self, run_id: int) -> bool:
        try:
            with self._sessions.begin() as session:
                return follow.begin(session, run_id) is not None
        except DBAPIError:
            raise
        except Exception:  # a defect at one run keeps no other away
            log.exception("what follows run %d", run_id)
            self._left.add(run_id)
            return False
