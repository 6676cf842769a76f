"""Which objects of a database Alembic compares with `db.tables`: all but those of full text."""

from __future__ import annotations

from typing import Any

TABLES = ("document_words", "document_name")  # FTS5's own, and what it keeps them in
INDEXES = ("ix_document_vector", "ix_document_name")
COLUMN = ("document", "vector")


def included(obj: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Return whether Alembic compares this object; its `include_object`."""
    if not reflected or compare_to is not None or name is None:
        return True  # what the tables declare is always compared
    if kind == "table":
        return not name.startswith(TABLES)
    if kind == "column":
        return (obj.table.name, name) != COLUMN
    return name not in INDEXES
