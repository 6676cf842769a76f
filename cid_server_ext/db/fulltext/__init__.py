"""Searching words: one small protocol over what SQLite (FTS5) and PostgreSQL (tsvector) do.

Both index `document`: whole words and their beginnings in `words`, any three letters in `name`.
Text was folded and split before it came here (`core.search.words`), so both find the same.
"""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import ColumnElement, Connection

from . import postgres, sqlite


class FullText(Protocol):
    """What a database must be able to do."""

    def create(self, connection: Connection) -> None:
        """Make the indexes over `document`."""

    def drop(self, connection: Connection) -> None:
        """Remove them."""

    def matches(self, token: str, *, prefix: bool) -> ColumnElement[bool]:
        """Return the WHERE clause on Document: has this word, or one that begins with it."""

    def name_contains(self, folded: str) -> ColumnElement[bool]:
        """Return the WHERE clause on Document: these letters stand somewhere in its name."""


def of(dialect: str) -> FullText:
    """Return the full-text search of a database by SQLAlchemy's name for it."""
    known: dict[str, FullText] = {"sqlite": sqlite.FTS5(), "postgresql": postgres.TsVector()}
    return known[dialect]
