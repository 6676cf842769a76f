"""Saying things of many records in one step, which one undo takes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import display
from ..history.undoing import undo
from ..records.record import Chosen
from ..records.stored import Values
from ..search.found import named
from ..wire import given
from ..wire.session import Session


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
    entry: int | None  # of the journal; None when nothing was changed
    session: Session = field(repr=False)

    def undo(self) -> None:
        """Take all of it back in one step; Conflict when some of it was changed since."""
        undo(self.session, self.entry)

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
    for word, said in (("set", replace), ("add", add)):
        given.mapping(said, word, 'keys with values, as {"Cell type": "HeLa"}')
    off = remove if isinstance(remove, Mapping) else dict.fromkeys(given.several(remove, "keys"))
    body = {
        **named(chosen, "records"),
        "set": dict(replace),
        "add": {key: _several(values) for key, values in add.items()},
        "remove": {key: None if v is None else _several(v) for key, v in off.items()},
        "dry": dry,
    }
    told, entry = session.change("POST", "annotations", body)
    return Annotated(**told, entry=entry, session=session)


def _several(values: Values) -> list[Any]:
    return list(values) if isinstance(values, list | tuple | set | frozenset) else [values]
