"""Follows the journal and takes back the tickets of rights that ended, within a few seconds.

Every service process does so; whoever is first writes, and a process that was killed is made up for
by the next one, because the file itself says which entries were heeded.
"""

from __future__ import annotations

import logging
import threading

from .core.people import revocations
from .db.session import Sessions, reading
from .storage import revoked

log = logging.getLogger(__name__)

EVERY = 1.5  # seconds between two looks at the journal


class Revoker:
    """A thread that looks at the journal until it is closed."""

    def __init__(self, sessions: Sessions, known: revoked.Revoked) -> None:
        self._sessions, self._known = sessions, known
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="revoker", daemon=True)

    def start(self) -> Revoker:
        """Begin to follow; what was missed meanwhile is heeded when this returns."""
        self.look()
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop; what is left is heeded at the next start."""
        self._stop.set()
        self._thread.join(10)

    def look(self) -> None:
        """Heed all entries there are by now."""
        while self._heed():
            pass

    def _heed(self) -> bool:
        """Heed some entries; False: there are no more, or another process is at them."""
        after = self._known.now().journal
        with reading(self._sessions) as session:
            newest = revocations.newest(session)
            if after is None or after > newest:  # no file, or a catalog that was made again
                everybody = [] if after is None else [revoked.EVERYBODY]
                self._known.revoke(everybody, after=after, upto=newest)
                return False
            lost = revocations.since(session, after) if after < newest else None
        if lost is None:
            return False
        return self._known.revoke(_names(lost), after=after, upto=lost.upto)

    def _follow(self) -> None:
        while not self._stop.wait(EVERY):
            try:
                self.look()
            except Exception as error:  # the next look tries again
                log.warning("revoking tickets: %s", type(error).__name__)


def _names(lost: revocations.Lost) -> set[str]:
    if lost.everybody:
        return {revoked.EVERYBODY}
    people = {revoked.person(name) for name in lost.people}
    return people | {revoked.run(run) for run in lost.runs} | lost.prefixes
