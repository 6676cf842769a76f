"""The pace of what nobody waits for: it works half of the time, the rest is for who asks."""

from __future__ import annotations

import threading
import time

LONGEST = 5.0  # seconds of rest, however long a piece of work took


class Pace:
    """Measures pieces of work from its making, or from the last rest."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._began = time.monotonic()

    def rest(self) -> bool:
        """Rest as long as the work took; return at once, and False, when all is to stop."""
        stopped = self._stop.wait(min(LONGEST, time.monotonic() - self._began))
        self._began = time.monotonic()
        return not stopped
