"""The canonical export: equal catalogs give equal bytes, whichever database they are in.

One JSON line a row: every table that the journal remembers, its remembered columns, and the sums
that must come out the same (`DERIVED`). Sorted by table and primary key; times in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import ColumnElement, String, Table, collate, select
from sqlalchemy.orm import Session

from ...db import capture

DERIVED = {"allocation": ("used",)}
BATCH = 1000


def canonical(session: Session) -> Iterator[bytes]:
    """Yield the lines of the export."""
    for table in sorted(capture.journaled(), key=lambda table: table.name):
        yield from _lines(session, table)


def _lines(session: Session, table: Table) -> Iterator[bytes]:
    names = [*capture.columns(table), *DERIVED.get(table.name, ())]
    binary = session.get_bind().dialect.name == "postgresql"
    order = [_in_bytes(column, binary) for column in table.primary_key.columns]
    chosen = select(*(table.columns[name] for name in names)).order_by(*order)
    connection = session.connection()
    with connection.execute(chosen, execution_options={"yield_per": BATCH}) as rows:
        for values in rows:
            row = {name: capture.encoded(v) for name, v in zip(names, values, strict=True)}
            line = {"table": table.name, "row": row}
            yield json.dumps(line, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _in_bytes(column: ColumnElement[str], collated: bool) -> ColumnElement[str]:
    """Order text by its bytes, as SQLite does; PostgreSQL's own order depends on its locale."""
    return collate(column, "C") if collated and isinstance(column.type, String) else column
