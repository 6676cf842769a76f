"""Seals what ended without a commit: runs that were cancelled, or failed before they could tell."""

from __future__ import annotations

import logging
import threading

from sqlalchemy.exc import IntegrityError

from .core import duties
from .core.provenance import seals
from .db.session import Sessions, reading

log = logging.getLogger(__name__)

EVERY = 60.0  # seconds between two looks
DUTY, HELD = "seal", 120.0


class Sealer:
    """A thread that looks until it is closed; of several processes one seals at a time."""

    def __init__(self, sessions: Sessions, signer: seals.Signer) -> None:
        self._sessions = sessions
        self._signer = signer
        self._holder = duties.myself()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="sealer", daemon=True)

    def start(self) -> Sealer:
        """Begin; the first look is now."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop; what is left is sealed at the next start."""
        self._stop.set()
        self._thread.join(10)

    def look(self) -> int:
        """Seal some runs and return how many, 0 when none is left or it is another's duty."""
        with reading(self._sessions) as session:
            if not seals.any_left(session):
                return 0
        with self._sessions.begin() as session:
            if not duties.take(session, DUTY, self._holder, HELD):
                return 0
            return seals.seal_left(session, self._signer)

    def _keep(self) -> None:
        while True:
            try:
                while not self._stop.is_set() and self.look():
                    pass
            except IntegrityError:  # another sealed one at the same moment
                log.info("a run was sealed by another process")
            except Exception as error:  # the next look tries again
                log.warning("sealing runs: %s", type(error).__name__)
            if self._stop.wait(EVERY):
                return
