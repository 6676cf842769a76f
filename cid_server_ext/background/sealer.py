"""Seals what ended without a commit: runs that were cancelled, or failed before they could tell."""

from __future__ import annotations

from ..core.provenance import seals
from ..db.session import Sessions, reading
from .rounds import Rounds
from .turn import Turn


class Sealer(Rounds):
    """Of several processes one seals at a time."""

    name, every = "sealer", 60.0

    def __init__(self, sessions: Sessions, signer: seals.Signer) -> None:
        super().__init__()
        self._sessions, self._signer = sessions, signer
        self._turn = Turn(sessions, "seal", 120.0)

    def look(self) -> int:
        """Seal what there is, and return how many runs that were."""
        sealed = 0
        while not self.stopping.is_set() and (some := self._some()):
            sealed += some
        return sealed

    def _some(self) -> int:
        """Seal some runs; 0: none is left, or it is another's turn."""
        with reading(self._sessions) as session:
            if not seals.any_left(session):
                return 0
        if not self._turn.mine():
            return 0
        with self._sessions.begin() as session:
            return seals.seal_left(session, self._signer)
