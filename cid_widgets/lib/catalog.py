"""What a catalog answers with, whatever was asked. What each view asks is in its own `catalog.py`.

`cid_client` answers; a test's three-line fake does too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Record(Protocol):
    """Anything the catalog tells of; `record` is its answer as docs/developer/api.md shows it."""

    @property
    def record(self) -> Mapping[str, Any]:
        """The fields as they came."""


class Found(Protocol):
    """Records that match, as the catalog counts them; none of them is read."""

    def count(self) -> int:
        """How many there are."""

    def facets(self, *keys: str) -> Mapping[str, Any]:
        """What the keys have among them: values with counts, and numbers."""


class Step(Protocol):
    """A change that was made."""

    @property
    def entry(self) -> int | None:
        """Its entry in the journal; None when nothing was changed."""

    def undo(self) -> object:
        """Take it back."""
