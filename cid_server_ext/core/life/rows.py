"""The rows of a journal entry: whether they are as the change left them, and putting them back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from sqlalchemy import ColumnElement, Table, delete, insert, null, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...db import capture
from ...db.capture import BATCH, Key, Row
from ...db.tables import Base, Journal
from ...errors import Conflict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    """Rows that changed alike; see `db.capture`."""

    table: Table
    keys: list[Key]
    before: Row | None
    after: Row | None

    @property
    def changed(self) -> bool:
        """Whether the rows were there before and are there after."""
        return self.before is not None and self.after is not None


def items(entry: Journal) -> list[Item]:
    """Return what an entry says of rows, or raise Conflict when this release has other tables."""
    try:
        return [_item(row) for row in entry.rows]
    except KeyError as error:
        raise Conflict(f"entry {entry.id} is of another release: {error} is gone") from None


def moved_on(session: Session, changes: list[Item]) -> dict[str, set[Key]]:
    """Return, by table, the keys of rows that are not as the change left them; lock the others."""
    moved: dict[str, set[Key]] = {}
    again: dict[tuple[str, Key], frozenset[str]] = {}  # columns that the change set once more
    for item in reversed(changes):
        name, columns = item.table.name, frozenset(item.after or ())
        now = capture.read(session, item.table, sorted(item.keys), lock=True)
        for key in item.keys:
            later = again.get((name, key), frozenset())
            if not _as_left(item, now.get(key), later):
                moved.setdefault(name, set()).add(key)
            again[name, key] = later | columns if later else columns
    return moved


def put_back(session: Session, changes: list[Item]) -> None:
    """Make all rows what they were before, or raise Conflict when something stands in the way."""
    session.flush()
    order = capture.journaled()
    gone = sorted((i for i in changes if i.after is None), key=lambda i: order.index(i.table))
    new = sorted((i for i in changes if i.before is None), key=lambda i: -order.index(i.table))
    for item in (*new, *gone):
        capture.touch(session, item.table, item.keys)
    try:
        # what nothing refers to goes first, so that what comes back finds its place free
        for item in new:
            if not _referring(item.table):
                _delete(session, item)
        for item in gone:
            _insert(session, item)
        for item in reversed(changes):  # a row that was rewritten twice: the last one first
            if item.changed:
                _change_back(session, item)
        for item in new:
            if _referring(item.table):
                going = {key[0] for i in new if i.table is item.table for key in i.keys}
                _refuse_used(session, item, going)
                _delete(session, item)
    except IntegrityError:
        raise Conflict("something else has taken its place since: rename or remove that") from None
    session.expire_all()


def batches(keys: Sequence[T]) -> Iterator[list[T]]:
    """Yield so many at a time as one statement takes."""
    rest = iter(keys)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _item(row: Row) -> Item:
    table = Base.metadata.tables[row["table"]]
    for side in (row["before"], row["after"]):
        for name in side or {}:
            if name not in table.columns:
                raise KeyError(f"{table.name}.{name}")
    return Item(table, [tuple(key) for key in row["keys"]], row["before"], row["after"])


def _as_left(item: Item, now: Row | None, later: frozenset[str]) -> bool:
    """Return whether a row is as the item left it, but for what a later item of the entry set."""
    if item.after is None or now is None:
        return now is item.after
    if item.before is None:
        return capture.whole(item.table, now) == item.after
    return all(now[name] == value for name, value in item.after.items() if name not in later)


def _delete(session: Session, item: Item) -> None:
    for batch in batches(item.keys):
        session.connection().execute(delete(item.table).where(_among(item.table, batch)))


def _insert(session: Session, item: Item) -> None:
    primary = [column.name for column in item.table.primary_key.columns]
    empty = dict.fromkeys(capture.columns(item.table))
    row = _values(item.table, empty | (item.before or {}))
    rows = [row | dict(zip(primary, key, strict=True)) for key in item.keys]
    for batch in batches(rows):
        session.connection().execute(insert(item.table).values(batch))


def _change_back(session: Session, item: Item) -> None:
    assert item.before is not None
    assert item.after is not None
    capture.rewrite(session, item.table, item.keys, before=item.after, after=item.before)
    values = _values(item.table, item.before)
    for batch in batches(item.keys):
        where = _among(item.table, batch)
        session.connection().execute(update(item.table).where(where).values(values))


def _values(table: Table, row: Row) -> Row:
    """Return what a statement takes; an empty JSON column is empty, not the text "null"."""
    return {n: null() if v is None else v for n, v in capture.decoded(table, row).items()}


def _among(table: Table, keys: Sequence[Key]) -> ColumnElement[bool]:
    primary = list(table.primary_key.columns)
    if len(primary) == 1:
        return primary[0].in_([key[0] for key in keys])
    return tuple_(*primary).in_(keys)


def _referring(table: Table) -> list[ColumnElement[int]]:
    """Return the columns, of any table, that refer to rows of this one."""
    every = (key for other in Base.metadata.tables.values() for key in other.foreign_keys)
    return [key.parent for key in every if key.column.table is table]


def _refuse_used(session: Session, item: Item, going: set[int]) -> None:
    """Raise Conflict when other rows refer to new ones; the database would say so at the commit."""
    for column in _referring(item.table):
        table = column.table
        for batch in batches([key[0] for key in item.keys]):
            chosen = select(*table.primary_key.columns).where(column.in_(batch))
            used = {tuple(key) for key in session.connection().execute(chosen)}
            if table is item.table:
                used = {key for key in used if key[0] not in going}
            if used:
                raise Conflict(f"a {table.name} that came since needs this {item.table.name}")
