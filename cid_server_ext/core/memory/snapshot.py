"""A snapshot says the whole truth in the journal again, so that a rebuild can begin there.

Three kinds of entries without a project: "snapshot begins", "snapshot" with at most CHUNK rows,
all told as new, and "snapshot ends". It holds when all of them are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select
from sqlalchemy.orm import Session

from ...db import capture
from ...db.tables import Journal

BEGINS, PART, ENDS = "snapshot begins", "snapshot", "snapshot ends"
PERSON = "cid"
SUBJECT = "catalog"
CHUNK = 500

Row = dict[str, Any]


def take(session: Session) -> int:
    """Write a snapshot in this transaction, holding up those who write; return its rows."""
    connection = session.connection()
    capture.take_turn(connection)
    _write(connection, BEGINS, {}, [])
    entries = total = 0
    for table in capture.journaled():
        items = _items(connection, table)
        while chunk := list(islice(items, CHUNK)):
            _write(connection, PART, {"table": table.name}, chunk)
            entries, total = entries + 1, total + len(chunk)
    _write(connection, ENDS, {"entries": entries, "rows": total}, [])
    return total


def needed(session: Session, schema: str) -> bool:
    """Say whether only a snapshot makes the journal whole: rows came, or changed, without entries.

    A migration of a catalog with data leaves an entry "migrate", which a snapshot must follow.
    """
    migrated = _newest(session, f"database:{schema}", "migrate")
    if migrated is not None:
        return (_newest(session, SUBJECT, ENDS) or 0) < migrated
    return session.scalar(select(Journal.id).limit(1)) is None and has_data(session)


def has_data(session: Session) -> bool:
    """Say whether there is anything in the tables that the journal remembers."""
    connection = session.connection()
    return any(
        connection.scalar(select(func.count()).select_from(select(table).limit(1).subquery()))
        for table in capture.journaled()
    )


class Complete:
    """Finds the newest complete snapshot among entries that are told in order."""

    def __init__(self) -> None:
        self.begins: int | None = None  # id of the entry that the newest complete one begins with
        self._open: int | None = None
        self._parts = 0

    def see(self, entry: Row) -> None:
        """Take the next entry into account."""
        if entry["subject"] != SUBJECT or entry["person"] != PERSON:
            return
        if entry["action"] == BEGINS:
            self._open, self._parts = entry["id"], 0
        elif entry["action"] == PART:
            self._parts += 1
        elif entry["action"] == ENDS and self._open is not None:
            if self._parts == entry["detail"].get("entries"):
                self.begins = self._open
            self._open = None


def _newest(session: Session, subject: str, action: str) -> int | None:
    chosen = select(func.max(Journal.id)).where(
        Journal.subject == subject, Journal.action == action
    )
    return session.scalar(chosen)


def _items(connection: Connection, table: Table) -> Iterator[Row]:
    names = capture.columns(table)
    primary = list(table.primary_key.columns)
    chosen = select(*(table.columns[name] for name in names)).order_by(*primary)
    with connection.execute(chosen, execution_options={"yield_per": CHUNK}) as rows:
        for values in rows:
            row = {name: capture.encoded(v) for name, v in zip(names, values, strict=True)}
            key = [row[column.name] for column in primary]
            yield {
                "table": table.name,
                "keys": [key],
                "before": None,
                "after": capture.whole(table, row),
            }


def _write(connection: Connection, action: str, detail: Row, rows: Iterable[Row]) -> None:
    connection.execute(
        insert(Journal).values(
            person=PERSON, action=action, subject=SUBJECT, detail=detail, rows=list(rows)
        )
    )
