"""Looks again and again in a thread, more rarely while nothing changes, until there is an end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

SLOWER = 1.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look has seen: did anything change, and is there more to come?"""

    changed: bool
    more: bool


class Watcher:
    """Calls `look` in a daemon thread from `wake()` until a look sees no more, or `stop()`.

    A thread of its own goes on while a cell runs, and no thread lives when nothing runs.
    """

    shortest = 1.0  # seconds between looks while things change
    longest = 3.0  # what a run wrote is seen within 5 s of its end

    def __init__(self, look: Callable[[], Seen]) -> None:
        self.look = look
        self._woken = threading.Event()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False

    @property
    def watching(self) -> bool:
        """Is there a thread that looks?"""
        return self._thread is not None

    def wake(self) -> None:
        """Look now, and from now on often again."""
        with self._turn:
            self._woken.set()
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._watch, name="cid-watch", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        with self._turn:
            self._stopped = True
            self._woken.set()

    def _watch(self) -> None:
        pause = self.shortest
        while True:
            if self._woken.is_set():
                self._woken.clear()
                pause = self.shortest
            seen = Seen(changed=False, more=False) if self._stopped else self.look()
            pause = self.shortest if seen.changed else min(pause * SLOWER, self.longest)
            with self._turn:
                if self._stopped or not (seen.more or self._woken.is_set()):
                    self._thread = None
                    return
            self._woken.wait(pause)
