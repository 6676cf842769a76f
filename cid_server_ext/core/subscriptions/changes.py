"""What the journal says may match differently now: some records, or anything at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...db.tables import Journal
from ...errors import Conflict
from ..life import concerned, rows
from ..life.rows import Item

PAGE = 200  # journal entries that are read at once
MANY = 2000  # records; more of them are looked at as all

# tables whose changes let records match that were not changed themselves
WIDE = frozenset(
    {
        "dataset",
        "term",
        "value",
        "mask",
        "mask_version",
        "instrument",
        "project",
        "project_member",
        "team_member",
    }
)


@dataclass(slots=True)
class Changed:
    """The records that entries up to `upto` concern; `anything`: no list would be complete."""

    upto: int
    records: set[int] = field(default_factory=set)
    anything: bool = False


def newest(session: Session) -> int:
    """Return the number of the last journal entry."""
    return session.scalar(select(func.max(Journal.id))) or 0


def since(session: Session, after: int) -> Changed:
    """Return what all entries after number `after` concern."""
    changed = Changed(upto=after)
    if newest(session) < after:  # a catalog that was made again
        return Changed(upto=newest(session), anything=True)
    while True:
        later = select(Journal).where(Journal.id > changed.upto).order_by(Journal.id).limit(PAGE)
        entries = session.scalars(later).all()
        if not entries:
            return changed
        for entry in entries:
            _heed(session, changed, entry)
        changed.upto = entries[-1].id
        session.expunge_all()  # their rows may be many


def _heed(session: Session, changed: Changed, entry: Journal) -> None:
    if changed.anything:
        return
    try:
        items = rows.items(entry)
    except Conflict:  # of another release
        changed.anything = True
        return
    changed.anything = any(_wide(item) for item in items)
    if not changed.anything:
        changed.records |= concerned.records(session, items)
        changed.anything = len(changed.records) > MANY


def _wide(item: Item) -> bool:
    if item.table.name == "subscription":  # it may follow again after a while
        return "state" in (item.after or {})
    new = item.before is None and item.table.name != "mask_version"
    return item.table.name in WIDE and not new
