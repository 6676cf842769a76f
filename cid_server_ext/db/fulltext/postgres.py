"""Full text by PostgreSQL: a generated tsvector of the words, and trigrams of the name."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    cast,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from ..tables import Document

VECTOR: ColumnElement[str] = literal_column("document.vector", TSVECTOR)


class TsVector:
    """See `db.fulltext.FullText`."""

    def create(self, connection: Connection) -> None:
        """Make the vector and both indexes; pg_trgm is a trusted extension of PostgreSQL."""
        for statement in (
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            # words were split before: PostgreSQL's own parser never sees them
            "ALTER TABLE document ADD COLUMN vector tsvector GENERATED ALWAYS AS"
            " (array_to_tsvector(string_to_array(words, ' '))) STORED",
            "CREATE INDEX ix_document_vector ON document USING gin (vector)",
            "CREATE INDEX ix_document_name ON document USING gin (name gin_trgm_ops)",
        ):
            connection.execute(text(statement))

    def drop(self, connection: Connection) -> None:
        """Remove both indexes and the vector."""
        connection.execute(text("DROP INDEX IF EXISTS ix_document_name"))
        connection.execute(text("ALTER TABLE document DROP COLUMN IF EXISTS vector"))

    def contains(self, column: ColumnElement[str], text: str) -> ColumnElement[bool]:
        """Look for them literally: nothing is a wildcard."""
        return func.strpos(column, text) > 0

    def before(self, column: ColumnElement[str], mark: str) -> ColumnElement[str]:
        """Cut there."""
        return func.substr(column, 1, func.strpos(column, mark) - 1)

    def with_words(self, tokens: Sequence[str], *, whole: bool) -> Select[int]:
        """Ask the vector; a token has letters and digits only, so it can be cast as it is."""
        asked = " & ".join(f"'{token}'" for token in tokens) + ("" if whole else ":*")
        return select(Document.record_id).where(VECTOR.op("@@")(cast(asked, TSQUERY)))

    def with_letters(self, folded: str) -> Select[int]:
        """Ask the trigram index; what looks like a wildcard is meant literally."""
        return select(Document.record_id).where(Document.name.contains(folded, autoescape=True))
