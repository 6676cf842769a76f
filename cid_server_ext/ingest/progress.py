"""How far an import is, as a whole and file by file, in words for the one who waits."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

SHOWN = 200  # files that are told one by one; the others are counted
LEAST = 64 << 10  # bytes: a small file takes its time too
# in the order in which they are told where there are too many
STATES = ("working", "unreadable", "waiting", "kept", "done", "there")


class Progress:
    """The account of one import. `sizes` are the bytes of each item, by its path."""

    def __init__(self, sizes: Iterable[tuple[str, int]]) -> None:
        self._size = {path: max(nbytes, LEAST) for path, nbytes in sizes}
        self._state = dict.fromkeys(self._size, "waiting")
        self._total = sum(self._size.values()) or 1
        self._ended = 0
        self._far: dict[str, float] = {}  # of those that are worked on
        self._text = ""
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Say what is done before any item is."""
        with self._lock:
            self._text = text

    def at(self, path: str, fraction: float, text: str) -> None:
        """An item is so far."""
        with self._lock:
            self._state[path], self._far[path], self._text = "working", fraction, text

    def end(self, path: str, state: str) -> None:
        """An item is done, kept as a file, unreadable (and kept), or was there already."""
        with self._lock:
            self._state[path] = state
            self._ended += self._size[path]
            self._far.pop(path, None)

    def told(self) -> dict[str, Any]:
        """Return what a deposit says of its progress."""
        with self._lock:
            far = sum(self._size[path] * fraction for path, fraction in self._far.items())
            counts = Counter(self._state.values())
            total = len(self._state)
            over = total - counts["waiting"] - counts["working"]
            text = f"{over} of {total} files · {self._text}" if total > 1 else self._text
            return {
                "fraction": round(min(1.0, (self._ended + far) / self._total), 3),
                "text": text[:200],
                "files": [self._file(path) for path in self._chosen()],
                "counts": {state: counts[state] for state in STATES if counts[state]},
            }

    def _chosen(self) -> list[str]:
        if len(self._state) <= SHOWN:
            return list(self._state)
        ranked = sorted(self._state, key=lambda path: STATES.index(self._state[path]))
        return ranked[:SHOWN]

    def _file(self, path: str) -> dict[str, Any]:
        state = self._state[path]
        fraction = {"waiting": 0.0, "working": self._far.get(path, 0.0)}.get(state, 1.0)
        return {"path": path, "state": state, "fraction": round(fraction, 3)}
