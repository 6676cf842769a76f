"""Terms and values as the view wants them; see `js/vocabulary/shapes.ts`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..lib.shapes import Shape, texts
from ..lib.words import counted
from .alike import alike, pairs

MANY = 100  # values in one answer of the catalog
TOP = 3  # values that a line of the table names
COMPARED = 40  # values of a term, the most frequent, that its line of the table has compared
WORDS = ("uid", "key", "type", "unit", "kind", "scheme", "pattern", "link", "help", "project")


def term(told: Mapping[str, Any], project: str, manages: bool, used: Shape | None) -> Shape:
    """Return a line of the table; `used` is what `use` says, None where it was not counted.

    A term is changed where it comes from; its values also in a project that inherits it.
    """
    words = texts(told, *WORDS)
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
    return f"{counted(count, 'record')} changed"


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
