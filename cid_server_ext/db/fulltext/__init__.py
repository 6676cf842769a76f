"""Searching words: one small protocol over what SQLite (FTS5) and PostgreSQL (tsvector) do.

Both index `document`: whole words and their beginnings in `words`, any three letters in `name`.
Text was folded and split before it came here (`core.search.words`), so both find the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, Select

from . import postgres, sqlite


class FullText(Protocol):
    """What a database must be able to do."""

    def create(self, connection: Connection) -> None:
        """Make the indexes over `document`."""

    def drop(self, connection: Connection) -> None:
        """Remove them."""

    def contains(self, column: ColumnElement[str], text: str) -> ColumnElement[bool]:
        """Return the WHERE clause: these characters stand in the column, read row by row."""

    def before(self, column: ColumnElement[str], mark: str) -> ColumnElement[str]:
        """Return what stands in the column before the first `mark`, which is there."""

    def with_words(self, tokens: Sequence[str], *, whole: bool) -> Select[int]:
        """Select the records that have all these words, by the index.

        Unless `whole`, the last one may be the beginning of a word.
        """

    def with_letters(self, folded: str) -> Select[int]:
        """Select the records with these three or more letters in their name, by the index."""


def of(dialect: str) -> FullText:
    """Return the full-text search of a database by SQLAlchemy's name for it."""
    known: dict[str, FullText] = {"sqlite": sqlite.FTS5(), "postgresql": postgres.TsVector()}
    return known[dialect]
