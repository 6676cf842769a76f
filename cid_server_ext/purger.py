"""Keeps the trash: what has lain its time is purged, and the bytes of all graves are removed."""

from __future__ import annotations

import logging
import threading

from .core import duties
from .core.life import purge
from .db.session import Sessions
from .storage.roots import Root

log = logging.getLogger(__name__)

EVERY = 60.0  # seconds between two looks


class Purger:
    """A thread that looks until it is closed; of several processes one purges at a time."""

    def __init__(self, sessions: Sessions, root: Root) -> None:
        self._sessions = sessions
        self._root = root
        self._holder = duties.myself()
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="purger", daemon=True)

    def start(self) -> Purger:
        """Begin; the first look is now."""
        self._thread.start()
        return self

    def soon(self) -> None:
        """Look now, so that whoever purged does not wait for it."""
        self._wake.set()

    def close(self) -> None:
        """Stop; what is left is done at the next start."""
        self._stopping = True
        self._wake.set()
        self._thread.join(10)

    def _keep(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                purge.sweep(self._sessions, self._root.remove, self._holder)
            except Exception:  # the next look tries again
                log.exception("purge")
            self._wake.wait(EVERY)
