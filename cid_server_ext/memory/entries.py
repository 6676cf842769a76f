"""A row of the journal table as an entry on storage, and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..db.capture import encoded
from ..db.tables import Journal

COLUMNS = (
    Journal.id,
    Journal.at,
    Journal.person,
    Journal.action,
    Journal.subject,
    Journal.detail,
    Journal.project_id,
    Journal.rows,
    Journal.undoes,
)
AT_A_TIME = 50  # rows fetched at once: an entry may have hundreds of kB


def after(session: Session, last: int, schema: str) -> Iterator[dict[str, Any]]:
    """Yield the entries above `last` in order; `schema` is the database's revision."""
    chosen = select(*COLUMNS).where(Journal.id > last).order_by(Journal.id)
    with session.execute(chosen, execution_options={"yield_per": AT_A_TIME}) as rows:
        for row in rows:
            yield _entry(row._mapping, schema)


def numbered(session: Session, number: int, schema: str) -> dict[str, Any] | None:
    """Return one entry, or None."""
    row = session.execute(select(*COLUMNS).where(Journal.id == number)).one_or_none()
    return None if row is None else _entry(row._mapping, schema)


def same(entry: dict[str, Any], other: dict[str, Any]) -> bool:
    """Say whether two entries tell the same, whatever schema and chain they are in."""
    return all(entry.get(column.key) == other.get(column.key) for column in COLUMNS)


def _entry(row: Any, schema: str) -> dict[str, Any]:
    return {name: encoded(value) for name, value in row.items()} | {"schema": schema}
