"""Taking back a whole adoption: its rows go, newest first, and the catalog is as it was before.

The journal keeps both. What the adoption made and others use by now (a term, a value, a dataset)
stays; a record that somebody worked with since is named, and nothing is changed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from ...db import capture
from ...db.tables import Grave, Journal, Record
from ...errors import Conflict, NotFound
from .. import journal
from ..catalog.adoptions import ADOPT, UNDONE
from ..ledger import allocations
from ..search import index
from . import concerned, foundout, rows
from .rows import Item

SHARED = {"term", "value", "dataset"}  # tables of what others may use too
TOLD = 5


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What went: records, and the bytes of views that the projects have again."""

    records: int
    nbytes: int


def take_back(session: Session, person: str, uid: str) -> TakenBack:
    """Make the catalog what it was before an adoption.

    NotFound: there is none, or it is taken back. Conflict: something of it is used since.
    """
    entries = _entries(session, uid)
    if not entries:
        raise NotFound(f"no adoption {uid!r} that is not taken back already")
    steps = [rows.items(entry) for entry in entries]
    made = {key[0] for step in steps for key in _new(step, "record")}
    freed = _hold(session, made)
    detail = {"entries": [entries[-1].id, entries[0].id], "records": len(made)}
    journal.record(session, person, UNDONE, f"adoption:{uid}", detail)
    foundout.forget(session, steps, made, person)
    index.forget(session, made)
    also: set[int] = set()
    for step in steps:
        changes = _unused(session, step)
        if moved := rows.moved_on(session, changes):
            raise _moved_on(session, moved)
        rows.put_back(session, changes)
        also |= concerned.records(session, changes) - made
    for project_id, nbytes in sorted(freed.items()):
        allocations.settle(session, project_id, reserved=0, used=-nbytes)
    index.refresh(session, also)
    return TakenBack(len(made), sum(freed.values()))


def _entries(session: Session, uid: str) -> list[Journal]:
    """Return what the adoption did since it was last taken back, the newest first."""
    about = Journal.subject == f"adoption:{uid}"
    last = select(func.max(Journal.id)).where(about, Journal.action == UNDONE)
    since = session.scalar(last) or 0
    asked = select(Journal).where(about, Journal.action == ADOPT, Journal.id > since)
    return [e for e in session.scalars(asked.order_by(Journal.id.desc())) if e.rows]


def _hold(session: Session, made: set[int]) -> Counter[int]:
    """Return the bytes by project of these records and dig their graves, or raise Conflict."""
    freed: Counter[int] = Counter()
    for batch in rows.batches(sorted(made)):
        columns = (Record.name, Record.prefix, Record.nbytes, Record.project_id)
        asked = select(*columns, Record.trash_id, Record.purged_at).where(Record.id.in_(batch))
        for row in session.execute(asked.order_by(Record.id).with_for_update()):
            if row.trash_id is not None or row.purged_at is not None:
                raise Conflict(f"{row.name!r} is in the trash, or purged: restore it first")
            freed[row.project_id] += row.nbytes
            session.add(Grave(prefix=row.prefix))
    return freed


def _new(step: list[Item], table: str) -> list[capture.Key]:
    return [key for i in step if i.table.name == table and i.before is None for key in i.keys]


def _unused(session: Session, step: list[Item]) -> list[Item]:
    """Return the changes without the new rows that others refer to by now."""
    going = {(i.table.name, key[0]) for i in step if i.before is None for key in i.keys}
    used = {
        (name, number)
        for name in SHARED
        for number in _referred(session, name, {n for t, n in going if t == name}, going)
    }
    kept = True
    while kept:  # what is kept needs what it refers to: a value its term, a dataset its parent
        needed = {need for item in step for need in _needs(item, used)} & going
        kept, used = not needed <= used, used | needed
    left = []
    for item in step:
        keys = [key for key in item.keys if (item.table.name, key[0]) not in used]
        if item.table.name not in SHARED or item.before is not None:
            keys = item.keys
        if keys:
            left.append(replace(item, keys=keys))
    return left


def _referred(
    session: Session, name: str, numbers: set[int], going: set[tuple[str, int]]
) -> set[int]:
    """Return which of these rows are referred to by rows that stay."""
    found: set[int] = set()
    for table in capture.journaled():
        for key in table.foreign_keys:
            if key.column.table.name != name or not numbers:
                continue
            primary = next(iter(table.primary_key.columns))
            for batch in rows.batches(sorted(numbers)):
                asked = select(primary, key.parent).where(key.parent.in_(batch))
                for number, to in session.connection().execute(asked):
                    if (table.name, number) not in going or _is_pair(table):
                        found.add(to)
    return found


def _is_pair(table: Table) -> bool:
    """Say whether a row has no number of its own, as links: an adoption makes none of these."""
    return len(table.primary_key.columns) > 1


def _needs(item: Item, used: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """Return what the rows of an item that stay refer to."""
    if item.before is not None or not any((item.table.name, k[0]) in used for k in item.keys):
        return set()
    keys = {key.parent.name: key.column.table.name for key in item.table.foreign_keys}
    after = item.after or {}
    return {(table, after[name]) for name, table in keys.items() if after.get(name) is not None}


def _moved_on(session: Session, moved: dict[str, set[capture.Key]]) -> Conflict:
    """Return the refusal that names records which were changed since."""
    ids = sorted({key[0] for key in moved.get("record", set())})[:TOLD]
    names = session.scalars(select(Record.name).where(Record.id.in_(ids))).all()
    told = ", ".join(map(repr, names)) or f"rows of {', '.join(sorted(moved))}"
    return Conflict(f"changed since it was adopted: {told}; put that back first")
