"""Full text by PostgreSQL: a generated tsvector of the words, and trigrams of the name."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, cast, func, literal_column, text
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

    def matches(self, token: str, *, prefix: bool) -> ColumnElement[bool]:
        """Ask the vector; a token has letters and digits only, so it can be cast as it is."""
        asked = f"'{token}'" + (":*" if prefix else "")
        return VECTOR.op("@@")(cast(asked, TSQUERY))

    def name_contains(self, folded: str) -> ColumnElement[bool]:
        """Ask the trigram index; what looks like a wildcard is meant literally."""
        if len(folded) < 3:
            return func.strpos(Document.name, folded) > 0
        return Document.name.contains(folded, autoescape=True)
