"""What a history asks of a catalog."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from ..lib.catalog import Record


class Entry(Record, Protocol):
    """One entry of the journal."""

    def undo(self) -> object:
        """Take it back."""


class Catalog(Protocol):
    """The questions."""

    def history(
        self, project: str | None = None, *, about: str | None, limit: int, after: int | None
    ) -> Sequence[Entry]:
        """Entries older than `after`, newest first."""

    def records(self, query: str, *, limit: int) -> Iterable[Record]:
        """Images and files that match."""
