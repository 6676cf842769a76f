"""A search box's help while one types: what the query may go on with, and the queries before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.view import View, line

LATEST = 12  # queries that are remembered
OFFERS = 12


class Asking(View):
    """A view where a query is typed; `history` has the last ones, newest first, while it lives."""

    history = t.List(t.Unicode()).tag(sync=True)
    error = t.Unicode().tag(sync=True)
    query_error = t.Unicode().tag(sync=True)

    def remember(self, query: str) -> None:
        """Put a query on top of the history; one that was only typed further takes its place."""
        said = query.strip()
        last = self.history[0] if self.history else ""
        if not said or (last.startswith(said) and last != said):
            return
        begun = bool(last) and said.startswith(last)
        rest = [one for one in self.history[1 if begun else 0 :] if one != said]
        self.history = [said, *rest][:LATEST]

    def answer_complete(self, asked: Mapping[str, Any]) -> None:
        """Tell what the text may go on with; `for` is told back, so that the view knows its own."""
        offers: list[dict[str, Any]] = []
        error = ""
        try:
            for one in self.catalog.complete(str(asked["text"]))[:OFFERS]:
                offer = {"text": one.text, "label": one.label, "start": one.start}
                offers.append({**offer, "count": one.count})
        except Exception as problem:  # typing goes on without
            self.log.debug("no completion", exc_info=True)
            error = line(problem)
        self.tell("completions", offers=offers, error=error, **{"for": asked["for"]})
