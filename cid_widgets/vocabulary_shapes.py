"""Terms and values as the view wants them (`js/vocabulary/shapes.ts`), and of a catalog."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from .alike import alike, pairs
from .catalog import Found, Record
from .changing import Step
from .shapes import Shape

MANY = 100  # values in one answer of the catalog
TOP = 3  # values that a line of the table names
COMPARED = 40  # values of a term, the most frequent, that its line of the table has compared
WORDS = ("uid", "key", "type", "unit", "kind", "scheme", "pattern", "link", "help", "project")


class Renamed(Step, Protocol):
    """What became of a value."""

    uses: int
    merged: bool


class Term(Record, Step, Protocol):
    """A term; each change returns what can be taken back."""

    def values(self, prefix: str, *, project: str | None, limit: int) -> Sequence[Any]:
        """Its values with a word that begins so, the most used first."""

    def declare(self, values: Iterable[Any]) -> Step:
        """Make values part of the vocabulary."""

    def change(self, **what: Any) -> Term:
        """Change key, help, unit, many, pattern, link or retired."""

    def merge(self, into: Any) -> Term:
        """Give every use to another term."""

    def rename_value(self, value: Any, to: str, *, project: str | None) -> Renamed:
        """Call a value otherwise, or merge it into the one that is called so."""


class Project(Record, Protocol):
    """A project with the terms that it sees."""

    def terms(self) -> Iterable[Term]:
        """The facility's and its own."""

    def add_term(self, key: str, **how: Any) -> Term:
        """Declare one of its own."""


class Catalog(Protocol):
    """The questions."""

    def whoami(self) -> Any:
        """Whether I am `staff`."""

    def project(self, name: str) -> Project:
        """One project."""

    def terms(self) -> Iterable[Term]:
        """The facility's terms."""

    def add_term(self, key: str, **how: Any) -> Term:
        """Declare one of the facility's."""

    def records(self, query: str = "", *, project: str | None) -> Found:
        """Images and files that match."""


def term(told: Mapping[str, Any], project: str, manages: bool, used: Shape | None) -> Shape:
    """Return a line of the table; `used` is what `use` says, None where it was not counted.

    A term is changed where it comes from; its values also in a project that inherits it.
    """
    words = {word: str(told.get(word) or "") for word in WORDS}
    return {
        **words,
        "many": bool(told.get("many")),
        "retired": bool(told.get("retired")),
        "edit": manages and words["project"] == project,
        "edit_values": manages and words["type"] not in ("number", "date"),
        **(used or {"records": None, "top": [], "count": 0, "span": "", "alike": 0}),
    }


def use(facet: Any, records: int | None = None) -> Shape:
    """Return how a term is used, of its facet; `records` where values do not add up to records."""
    spans = facet.numbers
    counted = sum(facet.values.values()) + sum(one.count for one in spans)
    return {
        "records": counted if records is None else records,
        "top": list(facet.values)[:TOP],
        "count": len(facet.values),
        "alike": len(pairs(list(facet.values)[:COMPARED])),
        "span": "; ".join(_span(one) for one in spans),
    }


def adds_up(facet: Any, many: bool) -> bool:
    """Say whether the counts of all values together are the number of records."""
    several = len(facet.values) > 1
    return not (many and several) and len(facet.values) < MANY


def opened(of: Shape, q: str, values: Sequence[Any], others: Iterable[Shape]) -> Shape:
    """Return what the panel of a term shows: values, those much alike, where it could be merged."""
    others = [one for one in others if one["uid"] != of["uid"]]
    keys = ("uid", "text", "link")
    return {
        "uid": of["uid"],
        "q": q,
        "values": [
            {**{key: getattr(one, key) for key in keys}, "n": one.n, "declared": one.declared}
            for one in values
        ],
        "more": len(values) >= MANY,
        "pairs": [list(pair) for pair in pairs([one.text for one in values])],
        "alike": [one["uid"] for one in others if _may_be(of, one)],
        "into": [one["uid"] for one in others if _takes(one, of)],
    }


def records(count: int) -> str:
    """Return "312 records changed"."""
    if count == 0:
        return "No record had it"
    return "1 record changed" if count == 1 else f"{number(count)} records changed"


def number(count: int) -> str:
    """Return 1234 as "1 234", with a narrow blank that does not break."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _may_be(one: Shape, other: Shape) -> bool:
    return not other["retired"] and alike(one["key"], other["key"])


def _takes(into: Shape, old: Shape) -> bool:
    """Say whether the catalog lets one term go into another."""
    same = all(into[word] == old[word] for word in ("type", "scheme"))
    reached = into["project"] in ("", old["project"])
    return same and reached and bool(into["unit"]) == bool(old["unit"]) and not into["retired"]


def _span(of: Any) -> str:
    if of.type == "date":
        first, last = (_day(seconds) for seconds in (of.lowest, of.highest))
    else:
        first, last = (f"{one:.6g}" for one in (of.lowest, of.highest))
    ends = first if first == last else f"{first} to {last}"
    return f"{ends} {of.unit}".strip()


def _day(seconds: float) -> str:
    start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (start + dt.timedelta(seconds=seconds)).date().isoformat()
