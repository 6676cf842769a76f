"""The card of a project for one to thousands of records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..lib.view import built
from .catalog import Catalog
from .tagging import Tagging


class Tagger(Tagging):
    """The card for images, or for what a search finds: `Tagger(catalog.search("hela"))`.

    `values` is what they say, `changes` what shall be said: {"set": ..., "add": ..., "remove": ...}
    as `catalog.annotate` takes it. `apply()` says it of all in one call, `undo()` takes it back.
    Errors are told in `error`, as one line. Up to 5,000 records of one project.
    """

    _esm, _css = built("tagger")

    def __init__(self, records: Any, catalog: Catalog | None = None) -> None:
        self._records = [records] if hasattr(records, "record") else records
        super().__init__(catalog)
        self.look_at_tags()
        if self._tagged:
            self._records = self._tagged  # those that are here now, whatever a search finds later

    @property
    def tag_records(self) -> Any:
        """The records that it speaks of."""
        return self._records

    @property
    def values(self) -> dict[str, dict[str, int]]:
        """What the records say: for each key its values, and how many records have them."""
        return self.tag_values

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        """What shall be said, as `catalog.annotate` takes it."""
        return self._tag_wanted()

    @changes.setter
    def changes(self, wanted: Mapping[str, Mapping[str, Any]]) -> None:
        self.tag_changes = {way: dict(given) for way, given in wanted.items()}

    @property
    def error(self) -> str:
        """What went wrong, as one line."""
        return self.tags_error

    def apply(self) -> Any:
        """Say it of all records in one call; return what came of it, or None without changes."""
        return self.apply_tags()

    def undo(self) -> None:
        """Take back what was last done here; nothing when there is nothing to take back."""
        self.undo_tags()

    def refresh(self) -> None:
        """Read what the records say again."""
        self.look_at_tags()
