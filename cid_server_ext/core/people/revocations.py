"""Which rights ended, read from the journal: whatever changed them, an undo and a run's end too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...db.tables import Image, Journal, Link, Record
from ..runs import states

PAGE = 200  # journal entries, or records, read at once
MANY = 2000  # records; more of them are everybody's loss


@dataclass(slots=True)
class Lost:
    """Whose tickets, and tickets for which records, are no longer good; up to entry `upto`.

    `everybody`: so many that each ticket is asked for anew.
    """

    upto: int
    people: set[str] = field(default_factory=set)
    runs: set[int] = field(default_factory=set)
    records: set[int] = field(default_factory=set)
    prefixes: set[str] = field(default_factory=set)
    everybody: bool = False


def newest(session: Session) -> int:
    """Return the number of the last journal entry."""
    return session.scalar(select(func.max(Journal.id))) or 0


def since(session: Session, after: int) -> Lost | None:
    """Return what ended in the entries after number `after`, some of them at a time, or None."""
    later = select(Journal.id, Journal.rows).where(Journal.id > after).order_by(Journal.id)
    entries = session.execute(later.limit(PAGE)).all()
    if not entries:
        return None
    lost = Lost(upto=entries[-1].id)
    for entry in entries:
        for item in entry.rows:
            if item["before"] is not None:  # a row that is new ends nothing
                _heed(session, lost, item["table"], item["keys"], item["after"] or {})
    lost.everybody = lost.everybody or len(lost.records) > MANY
    lost.prefixes = set() if lost.everybody else _prefixes(session, sorted(lost.records))
    return lost


def _heed(
    session: Session, lost: Lost, table: str, keys: list[list[Any]], after: dict[str, Any]
) -> None:
    """Note what the change of some rows of a table ends; `after` is empty when they are gone."""
    match table:
        case "project_member" | "team_member":
            lost.people.update(key[1] for key in keys)
        case "link":
            lost.records.update(key[1] for key in keys)
        case "dataset" if "trash_id" in after:
            linked = select(Link.record_id).where(Link.dataset_id.in_([key[0] for key in keys]))
            lost.records.update(session.scalars(linked))
        case "record" if not after:  # an adoption was taken back: nothing says any more which
            lost.everybody = True
        case "record" if after.keys() & {"trash_id", "project_id", "purged_at"}:
            lost.records.update(key[0] for key in keys)
        case "run" if after.get("state") in states.ENDED | {"queued"}:
            lost.runs.update(key[0] for key in keys)


def _prefixes(session: Session, ids: list[int]) -> set[str]:
    """Return where the bytes of these records, and of their originals, lie."""
    found: set[str] = set()
    for start in range(0, len(ids), PAGE):
        some = ids[start : start + PAGE]
        originals = select(Image.original_id).where(Image.id.in_(some))
        both = Record.id.in_(some) | Record.id.in_(originals)
        found.update(session.scalars(select(Record.prefix).where(both)))
    return found
