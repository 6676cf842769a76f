"""What one may do with a deposit that he imports: reserve room, tell how far it is, be stopped.

Each is one transaction that begins with `imports.hold`: whoever lost the deposit learns it there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..core.catalog import deposits, imports
from ..db.session import Sessions
from ..errors import Conflict, OverQuota
from .prepared import Watch
from .progress import Progress

EVERY = 1.0  # seconds between two progress rows
AHEAD = 64 << 20  # bytes reserved at once, so that small files do not each ask the database


@dataclass
class Lease:
    """One deposit that this process imports. Several threads may use it."""

    sessions: Sessions
    process: str
    deposit_id: int
    stopping: Callable[[], bool]
    planned: int = 0
    reserved: int = 0
    lost: bool = False
    _last: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, nbytes: int) -> Watch:
        """Return how it is told and stopped; `nbytes` are reserved already."""
        self.planned = self.reserved = nbytes
        return Watch(self.plan, self.progress, lambda: self.lost or self.stopping())

    def plan(self, nbytes: int) -> None:
        """Reserve room for so many bytes more, or raise OverQuota."""
        with self._lock:
            self.planned += nbytes
            if self.planned > self.reserved:
                try:
                    self._widen(self.planned + AHEAD)
                except OverQuota:
                    self._widen(self.planned)

    def progress(self, account: Progress) -> None:
        """Tell how far it is, now and then."""
        with self._lock:
            if time.monotonic() - self._last < EVERY:
                return
            self._last = time.monotonic()
            try:
                with self.sessions.begin() as session:
                    told = account.told()
                    imports.hold(session, self.process, self.deposit_id, progress=told)
            except Conflict:
                self.lost = True

    def _widen(self, nbytes: int) -> None:
        with self.sessions.begin() as session:
            imports.hold(session, self.process, self.deposit_id)
            deposits.widen(session, self.deposit_id, nbytes)
        self.reserved = nbytes
