"""Keeps the trash: what has lain its time is purged, and the bytes of all graves are removed."""

from __future__ import annotations

from ..core import duties
from ..core.life import purge
from ..db.session import Sessions
from ..storage.roots import Root
from .rounds import Rounds


class Purger(Rounds):
    """Of several processes one purges at a time; whoever purges something calls `soon`."""

    name, every = "purger", 60.0

    def __init__(self, sessions: Sessions, root: Root) -> None:
        super().__init__()
        self._sessions, self._root = sessions, root
        self._holder = duties.myself()

    def look(self) -> None:
        """Purge what is due."""
        purge.sweep(self._sessions, self._root.remove, self._holder)
