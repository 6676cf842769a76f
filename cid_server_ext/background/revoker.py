"""Follows the journal and takes back the tickets of rights that ended, within a few seconds.

Every service process does so; whoever is first writes, and a process that was killed is made up for
by the next one, because the file itself says which entries were heeded.
"""

from __future__ import annotations

from typing import Self

from ..core.people import revocations
from ..db.session import Sessions, reading
from ..storage import revoked
from .rounds import Rounds

EVERY = 1.5  # seconds between two looks at the journal


class Revoker(Rounds):
    """Looks at the journal."""

    name, every, first = "revoker", EVERY, EVERY

    def __init__(self, sessions: Sessions, known: revoked.Revoked) -> None:
        super().__init__()
        self._sessions, self._known = sessions, known

    def start(self) -> Self:
        """Begin to follow; what was missed meanwhile is heeded when this returns."""
        self.look()
        return super().start()

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


def _names(lost: revocations.Lost) -> set[str]:
    if lost.everybody:
        return {revoked.EVERYBODY}
    people = {revoked.person(name) for name in lost.people}
    return people | {revoked.run(run) for run in lost.runs} | lost.prefixes
