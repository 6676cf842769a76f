"""The log of a run: the worker's own lines and what its kernel says on stderr, cut where long."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections import deque
from pathlib import Path
from types import TracebackType

from ... import scrub

FIRST = 128 * 1024  # bytes that are kept of the beginning
LAST = 128 * 1024  # and of the end
PIECE = 8192


class Log:
    """Takes lines, and bytes at `stderr`, a descriptor for the kernel; both in their order.

    It holds the beginning and the end, and never more, whatever is said in between.
    """

    def __init__(self) -> None:
        self._first = bytearray()
        self._last: deque[bytes] = deque()
        self._kept = 0  # bytes in `_last`
        self._cut = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Log:
        read, self.stderr = os.pipe()
        self._thread = threading.Thread(target=self._take, args=(read,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.stderr)
        self._thread.join(1.0)  # what a child of the kernel still holds open is not waited for

    def say(self, text: str) -> None:
        """Add a line of the worker's own, with the time."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        self._add(f"{now} {text}\n".encode())

    def write(self, path: Path) -> None:
        """Write what there is as UTF-8, without what opens anything."""
        with self._lock:
            notice = f"\n[{self._cut} bytes were cut here]\n".encode() if self._cut else b""
            whole = bytes(self._first) + notice + b"".join(self._last)
        path.write_text(scrub.scrubbed(whole.decode("utf-8", "replace")), "utf-8")

    def _take(self, read: int) -> None:
        with open(read, "rb", buffering=0) as pipe:
            while piece := pipe.read(PIECE):
                self._add(piece)

    def _add(self, piece: bytes) -> None:
        with self._lock:
            room = FIRST - len(self._first) if not self._last else 0
            self._first += piece[:room]
            if rest := piece[room:]:
                self._last.append(rest)
                self._kept += len(rest)
            while self._kept > LAST:
                gone = self._last.popleft()
                self._kept -= len(gone)
                self._cut += len(gone)
