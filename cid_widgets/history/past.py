"""The journal read backwards, as far as somebody looks: the entries that are to be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .catalog import Entry

PAGE = 40  # entries that are shown at once
ASKED = 100  # entries of one question
LOOKED_AT = 2000  # entries that are looked through for one page


class Past:
    """Entries by `page()`, newest first, those that `shows` lets through.

    `ask` gives at most ASKED entries older than one. `read` are all that were read, by number.
    """

    def __init__(
        self,
        ask: Callable[[int | None], Sequence[Entry]],
        shows: Callable[[Mapping[str, Any]], bool],
    ) -> None:
        self.ask, self.shows = ask, shows
        self.read: dict[int, Entry] = {}
        self._waiting: list[Entry] = []  # read, and not looked at yet
        self._older = True

    @property
    def more(self) -> bool:
        """Whether there may be older ones."""
        return bool(self._waiting) or self._older

    def page(self) -> list[Entry]:
        """Return the next of them; fewer, or none, when few are to be shown or all are read."""
        chosen: list[Entry] = []
        for _ in range(LOOKED_AT):
            if len(chosen) == PAGE or not (self._waiting or self._look()):
                break
            entry = self._waiting.pop(0)
            if self.shows(entry.record):
                chosen.append(entry)
        return chosen

    def _look(self) -> bool:
        """Read older entries; return whether there were any."""
        if self._older:
            found = list(self.ask(min(self.read, default=None)))
            self._older = len(found) == ASKED
            self._waiting += found
            self.read.update({one.record["entry"]: one for one in found})
        return bool(self._waiting)
