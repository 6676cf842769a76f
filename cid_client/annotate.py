"""Saying things of many records in one step, which one undo takes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import display
from .records import Record
from .search import Search
from .wire import Session

Value = str | int | float
Values = Value | list[Value] | list[str] | list[int] | list[float]
Chosen = Record | Search | Iterable[Record]


@dataclass(frozen=True, slots=True)
class Annotated:
    """What came of it: records looked at and changed, and how spellings were taken.

    `keys` says the same of each key: `key`, `changed`, `unchanged`, `snapped`, `similar`.
    """

    dry: bool
    records: int
    changed: int
    keys: dict[str, dict[str, Any]]
    snapped: dict[str, str]
    similar: dict[str, list[str]]

    def _repr_html_(self) -> str:
        lines = [(one["key"], one["changed"], one["unchanged"]) for one in self.keys.values()]
        return display.table(["key", "would change" if self.dry else "changed", "as it is"], lines)


def annotate(
    session: Session,
    chosen: Chosen,
    replace: Mapping[str, Values],
    add: Mapping[str, Values],
    remove: Mapping[str, Values | None] | Iterable[str],
    dry: bool,
) -> Annotated:
    """Say it of all that is chosen, in one step: all of one project, all or nothing."""
    off = remove if isinstance(remove, Mapping) else dict.fromkeys(remove)
    body = {
        **named(chosen, "records"),
        "set": dict(replace),
        "add": {key: _several(values) for key, values in add.items()},
        "remove": {key: None if v is None else _several(v) for key, v in off.items()},
        "dry": dry,
    }
    return Annotated(**session.send("POST", "annotations", body))


def named(chosen: Chosen, word: str) -> dict[str, Any]:
    """Return the part of a body that names records: a search's query, else uids under `word`.

    A search that was read to its end, or that has a limit, means the images that were seen.
    """
    if isinstance(chosen, Search) and chosen.query is not None:
        return {"query": chosen.query}
    return {word: uids(chosen)}


def uids(chosen: Chosen) -> list[str]:
    """Return the uids of what is chosen."""
    several = [chosen] if isinstance(chosen, Record) else chosen
    return [record.uid for record in several]


def _several(values: Values) -> list[Any]:
    return list(values) if isinstance(values, list | tuple | set | frozenset) else [values]
