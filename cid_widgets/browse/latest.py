"""Does the newest of what is asked in a thread of its own; what was asked before is dropped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

Work = Callable[[], Any]
Then = Callable[[Any], None]


class Latest:
    """Hands what `work` gives to `then`, unless something newer was asked meanwhile.

    `work` is done beside all else, `then` in `turn`. No thread lives when nothing is asked.
    """

    def __init__(self, turn: threading.RLock) -> None:
        self._turn = turn
        self._lock = threading.Lock()
        self._asked: tuple[Work, Then] | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def ask(self, work: Work, then: Then) -> None:
        """Do this next; `work` must not raise."""
        with self._lock:
            if self._stopped:
                return
            self._asked = (work, then)
            if self._thread is None:
                self._thread = threading.Thread(target=self._go, name="cid-latest", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Hand over nothing any more."""
        with self._lock:
            self._stopped, self._asked = True, None

    def _go(self) -> None:
        while True:
            with self._lock:
                asked, self._asked = self._asked, None
                if asked is None:
                    self._thread = None
                    return
            work, then = asked
            answer = work()
            with self._turn:
                if self._asked is None and not self._stopped:
                    then(answer)
