"""Begins the next steps of chains within a second of a run's end; any process may."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from .core.steps import follow
from .db.session import Sessions, reading
from .errors import CidError

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds


class Stepper:
    """A thread that looks for runs whose next step is due, until it is closed.

    Two processes may find the same run: the row's lock lets one begin what follows. `queued` hears
    of new runs.
    """

    def __init__(self, sessions: Sessions, queued: Callable[[], None]) -> None:
        self._sessions, self._queued = sessions, queued
        self._left: set[int] = set()  # at which we stumbled: the next start tries them again
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="stepper", daemon=True)

    def start(self) -> Stepper:
        """Begin to follow."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop; what is due is found at the next start."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def look(self) -> int:
        """Begin what is due and may begin; return how many runs that are."""
        with reading(self._sessions) as session:
            due = follow.due(session)
        begun = 0
        for run_id in due:
            if self._stop.is_set():
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

    def _follow(self) -> None:
        while not self._stop.wait(EVERY):
            try:
                self.look()
            except Exception as error:  # the next look tries again
                known = isinstance(error, CidError | DBAPIError)
                level = logging.WARNING if known else logging.ERROR
                log.log(level, "following runs: %s", type(error).__name__, exc_info=not known)
