"""Whom the rows of a journal entry concern: records, their projects, and what these hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ...db.tables import Dataset, Link, Note, Record, Tag
from ...errors import Conflict
from ..ledger import allocations
from .rows import Item, batches

SEARCHED = frozenset({"text", "folded"})  # the columns of a value that searches read


def records(session: Session, changes: list[Item]) -> set[int]:
    """Return the ids of the records that are found, or read, by what the rows say."""
    found = named(session, changes)
    for item in changes:
        ids = [key[0] for key in item.keys]
        if item.table.name == "value" and SEARCHED & set(item.after or {}):
            found |= _column(session, Tag.record_id, Tag.value_id, ids)
        elif item.table.name == "dataset":
            found |= _column(session, Record.id, Record.dataset_id, ids)
            found |= _column(session, Link.record_id, Link.dataset_id, ids)
    return found


def named(session: Session, changes: list[Item]) -> set[int]:
    """Return the ids of the records whose rows, tags, links or notes these are."""
    found: set[int] = set()
    for item in changes:
        name, ids = item.table.name, [key[0] for key in item.keys]
        if name == "record":
            found.update(ids)
        elif name == "link":
            found.update(key[1] for key in item.keys)
        elif name == "tag":
            found |= _owners(item) or _column(session, Tag.record_id, Tag.id, ids)
        elif name == "note":
            found |= _owners(item) or _column(session, Note.record_id, Note.id, ids)
    return found


def projects(session: Session, changes: list[Item]) -> set[int]:
    """Return the projects that the rows name, and those of the records and datasets in them."""
    sides = [side for item in changes for side in (item.before, item.after) if side]
    found = {int(side["project_id"]) for side in sides if side.get("project_id") is not None}
    folders = [key[0] for item in changes if item.table.name == "dataset" for key in item.keys]
    found |= _column(session, Dataset.project_id, Dataset.id, folders)
    return found | _column(session, Record.project_id, Record.id, sorted(named(session, changes)))


def settle_back(session: Session, changes: list[Item]) -> None:
    """Charge again the projects that records were taken from, or raise OverQuota."""
    moves: Counter[int] = Counter()
    for item in changes:
        before, after = item.before or {}, item.after or {}
        if item.table.name != "record" or not item.changed or "project_id" not in before:
            continue
        for batch in batches([key[0] for key in item.keys]):
            held = select(func.coalesce(func.sum(Record.nbytes), 0)).where(Record.id.in_(batch))
            nbytes = int(session.scalar(held) or 0)
            moves[after["project_id"]] -= nbytes
            moves[before["project_id"]] += nbytes
    for project_id, nbytes in sorted(moves.items()):
        allocations.settle(session, project_id, reserved=0, used=nbytes)


def refuse_purged(session: Session, ids: Iterable[int]) -> None:
    """Raise Conflict when one of these records is gone for good."""
    for batch in batches(sorted(ids)):
        gone = select(Record.name).where(Record.id.in_(batch), Record.purged_at.is_not(None))
        if (name := session.scalar(gone.limit(1))) is not None:
            raise Conflict(f"{name!r} is purged: nothing brings it back")


def _owners(item: Item) -> set[int]:
    sides = (item.before or {}, item.after or {})
    return {side["record_id"] for side in sides if side.get("record_id") is not None}


def _column(
    session: Session,
    wanted: InstrumentedAttribute[Any],
    column: InstrumentedAttribute[Any],
    ids: list[int],
) -> set[int]:
    found: set[int] = set()
    for batch in batches(ids):
        chosen = select(wanted).where(column.in_(batch), wanted.is_not(None)).distinct()
        found.update(session.scalars(chosen))
    return found
