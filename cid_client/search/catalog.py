"""What a catalog is asked for: records that match, and how a query may go on."""

from __future__ import annotations

from typing import Any

from ..records.datasets import called
from ..records.projects import Project
from ..wire import given
from ..wire.session import Session
from . import suggestions
from .found import RecordSearch, Search, asked
from .suggestions import Completion, Tagged


class Searches:
    """The part of a catalog that finds."""

    session: Session

    def search(
        self,
        query: str = "",
        *,
        project: str | Project | None = None,
        dataset: str | None = None,
        kind: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        **more: Any,
    ) -> Search:
        """Return the images that match, newest first, read page by page as you look at them.

        `query` is in the query language: words, `key:value` and more. What else is given must be
        true too: `objective="63x"`, a list for one of several, `snr__gt=10` (also `__ge`, `__lt`,
        `__le`), `staining__not="DAPI"`, `staining=None` for none. `kind` is image or labels, `sort`
        is newest, oldest, name, size, acquired, or a key of numbers or dates; `-` turns it round.
        Nothing is asked before the first look; then an unknown project is NotFound.
        """
        question = asked(query, called(project), dataset, more, kind, sort)
        _limited(limit)
        return Search(self.session, question, limit)

    def records(
        self,
        query: str = "",
        *,
        project: str | Project | None = None,
        dataset: str | None = None,
        kind: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        **more: Any,
    ) -> RecordSearch:
        """Return the images and files that match, as `search` does; `kind` may be file too."""
        question = asked(query, called(project), dataset, more, kind, sort)
        _limited(limit)
        return RecordSearch(self.session, question, limit)

    def complete(self, text: str) -> list[Completion]:
        """Return what the last word of a query may become: keys, or values of a key with counts."""
        return suggestions.complete(self.session, given.text(text, "what was typed", empty=True))

    def top(self, limit: int = 20) -> list[Tagged]:
        """Return the tags that most records of my projects have."""
        return suggestions.top(self.session, limit)


def _limited(limit: int | None) -> None:
    if limit is not None:
        given.number(limit, "limit")
