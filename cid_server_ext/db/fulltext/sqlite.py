"""Full text by SQLite's FTS5: two external-content indexes over `document`, kept by triggers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    column,
    func,
    select,
    table,
    text,
)

# words are ASCII letters and digits already: the tokenizer only splits at spaces
INDEXES = {
    "document_words": ("words", "tokenize='unicode61 remove_diacritics 0', prefix='2 3 4'"),
    "document_name": ("name", "tokenize='trigram case_sensitive 1'"),
}


class FTS5:
    """See `db.fulltext.FullText`."""

    def create(self, connection: Connection) -> None:
        """Make both indexes and the triggers that keep them."""
        for index, (what, options) in INDEXES.items():
            connection.execute(
                text(
                    f"CREATE VIRTUAL TABLE {index} USING fts5({what}, content='document',"
                    f" content_rowid='record_id', {options})"
                )
            )
            add = f"INSERT INTO {index}(rowid, {what}) VALUES (new.record_id, new.{what});"
            drop = (
                f"INSERT INTO {index}({index}, rowid, {what})"
                f" VALUES ('delete', old.record_id, old.{what});"
            )
            for when, does in (("INSERT", add), ("DELETE", drop), ("UPDATE", drop + add)):
                condition = f" WHEN old.{what} <> new.{what}" if when == "UPDATE" else ""
                connection.exec_driver_sql(
                    f"CREATE TRIGGER {index}_{when.lower()} AFTER {when} ON document{condition}"
                    f" BEGIN {does} END"
                )

    def drop(self, connection: Connection) -> None:
        """Remove indexes and triggers."""
        for index in INDEXES:
            for when in ("insert", "delete", "update"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {index}_{when}"))
            connection.execute(text(f"DROP TABLE IF EXISTS {index}"))

    def contains(self, column: ColumnElement[str], text: str) -> ColumnElement[bool]:
        """Look for them literally: nothing is a wildcard."""
        return func.instr(column, text) > 0

    def before(self, column: ColumnElement[str], mark: str) -> ColumnElement[str]:
        """Cut there."""
        return func.substr(column, 1, func.instr(column, mark) - 1)

    def with_words(self, tokens: Sequence[str], *, whole: bool) -> Select[int]:
        """Ask the word index; a token has letters and digits only, quotes make it a string."""
        asked = " AND ".join(f'"{token}"' for token in tokens) + ("" if whole else " *")
        return _rowids("document_words", asked)

    def with_letters(self, folded: str) -> Select[int]:
        """Ask the trigram index; quotes make it a string."""
        quoted = folded.replace('"', '""')
        return _rowids("document_name", f'"{quoted}"')


def _rowids(index: str, asked: str) -> Select[int]:
    fts = table(index, column("rowid", Integer), column(index))
    return select(fts.c.rowid).where(fts.c[index].op("MATCH")(bindparam(None, asked, unique=True)))
