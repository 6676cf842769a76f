"""Rows that were folded out of the journal, loaded into an empty database of this schema."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Table,
    bindparam,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from ...db import capture, mentions
from ...db.tables import Allocation, Journal, Record, Run
from ..runs.states import ENDED
from . import snapshot
from .fold import Fold

Row = dict[str, Any]

BATCH = 2000  # rows
ENTRIES = 50  # of the journal: one may have hundreds of rows


def tables(session: Session, fold: Fold, told: Callable[[int], None]) -> dict[str, int]:
    """Load every table and return how many rows each has; `told` hears of each batch."""
    connection = session.connection()
    counts = {}
    for name, table in fold.tables.items():
        statement, prepare = _statement(table)
        rows = (prepare(row) for row in fold.rows(name))
        counts[name] = 0
        while batch := list(islice(rows, BATCH)):
            connection.execute(statement, batch)
            counts[name] += len(batch)
            told(len(batch))
    _add_up(connection)
    return counts


def history(session: Session, entries: Iterable[Row], fold: Fold) -> list[int]:
    """Put entries into the journal as they were; return those that undo one that is lost.

    `fold` is, at each entry, as the entry left the rows.
    """
    connection, rest = session.connection(), iter(entries)
    lost: list[int] = []
    told_of: dict[int, set[int]] = {}
    heard = (_heard(entry, fold, told_of) for entry in rest)
    while batch := list(islice(heard, ENTRIES)):
        undone = {entry["undoes"] for entry in batch if entry["undoes"] is not None}
        kept = set(connection.scalars(select(Journal.id).where(Journal.id.in_(undone))))
        kept |= {entry["id"] for entry in batch}
        rows = []
        for entry in batch:
            if entry["undoes"] is not None and entry["undoes"] not in kept:
                lost.append(entry["id"])
                entry = entry | {"undoes": None}
            at = dt.datetime.fromisoformat(entry["at"])
            rows.append({name: entry[name] for name in _ENTRY} | {"at": at})
        connection.execute(insert(Journal), rows)
        mentions.write(connection, told_of)
        told_of.clear()
    return lost


def numbers(session: Session, highest: dict[str, int]) -> None:
    """Let every table go on above the highest number that it has ever given."""
    connection = session.connection()
    for table in [*capture.journaled(), inspect(Journal).local_table]:
        assert isinstance(table, Table)
        keys = list(table.primary_key.columns)
        if len(keys) > 1 or keys[0].foreign_keys or keys[0].type.python_type is not int:
            continue
        last = max(highest.get(table.name, 0), connection.scalar(select(func.max(keys[0]))) or 0)
        _go_on(connection, table, keys[0], last)


def _statement(table: Table) -> tuple[Any, Callable[[Row], Row]]:
    """Return the INSERT of a table's remembered columns, and what makes its parameters."""
    names = capture.columns(table)
    columns = [table.columns[name] for name in names]
    values = {c.name: bindparam(c.name, type_=_type(c)) for c in columns}
    kinds = {c.name: c.type.python_type for c in columns}
    times = {n: k for n, k in kinds.items() if issubclass(k, dt.date)}

    def prepare(row: Row) -> Row:
        full = {name: row.get(name) for name in names}
        for name, kind in times.items():
            if (said := full[name]) is not None:
                full[name] = kind.fromisoformat(said)
        return full

    return insert(table).values(values), prepare


def _type(column: Column[Any]) -> Any:
    """What is empty is NULL, in JSON columns too."""
    return JSON(none_as_null=True) if isinstance(column.type, JSON) else column.type


def _add_up(connection: Connection) -> None:
    """Make the sums of every allocation: bytes of records, and what unfinished runs wait for."""
    held = select(func.coalesce(func.sum(Record.nbytes), 0)).where(
        Record.project_id == Allocation.project_id,
        Record.purged_at.is_(None),
        Record.tier == "online",  # archived bytes are counted apart
    )
    waiting = select(func.coalesce(func.sum(Run.reserved), 0)).where(
        Run.project_id == Allocation.project_id, Run.state.not_in(ENDED)
    )
    connection.execute(
        update(Allocation).values(used=held.scalar_subquery(), reserved=waiting.scalar_subquery())
    )


def _heard(entry: Row, fold: Fold, told_of: dict[int, set[int]]) -> Row:
    if entry["subject"] != snapshot.SUBJECT:  # a snapshot is nobody's history
        told_of[entry["id"]] = mentions.concerned(entry["subject"], entry["rows"], fold.owners)
    return entry


def _go_on(connection: Connection, table: Table, key: Column[Any], last: int) -> None:
    if connection.dialect.name == "postgresql":
        said = text("SELECT setval(pg_get_serial_sequence(:t, :c), :n, :given)")
        given = {"t": table.name, "c": key.name, "n": max(last, 1), "given": last > 0}
        connection.execute(said, given)
        return
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :t"), {"t": table.name})
    said = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:t, :n)")
    connection.execute(said, {"t": table.name, "n": last})


_ENTRY = ("id", "person", "action", "subject", "detail", "project_id", "undoes", "rows")
