"""Terms, their values, the tags that use them, and the three tables that searches read.

Truth is `term`, `value` and `tag`. `posting`, `tally` and `document` are derived from them and from
records, links and notes, in the same transaction (`core.search.index`), and can be made again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, BigId, Named
from .people import Project
from .records import Record


class Term(Named, Base):
    """One key of a vocabulary: the facility's (no project), which all inherit, or a project's own.

    `type` says what a value is: text, number (in `unit`), date, choice (one of the declared
    values), ontology (a label with its IRI), id (an external identifier of `scheme`: orcid, rrid,
    doi, url, or a facility's own with `pattern` and `link`). `many`: a record may have several.
    """

    __tablename__ = "term"
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    key: Mapped[str] = mapped_column(String(80))
    folded: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(12))
    type: Mapped[str] = mapped_column(String(12), default="text")
    unit: Mapped[str] = mapped_column(String(24), default="")
    scheme: Mapped[str] = mapped_column(String(24), default="", server_default="")
    pattern: Mapped[str] = mapped_column(String(200), default="", server_default="")
    link: Mapped[str] = mapped_column(String(200), default="", server_default="")
    help: Mapped[str] = mapped_column(String(400), default="", server_default="")
    many: Mapped[bool] = mapped_column(default=False)
    retired: Mapped[bool] = mapped_column(default=False)
    project: Mapped[Project | None] = relationship()
    __table_args__ = (
        UniqueConstraint("project_id", "folded"),
        Index(
            "uq_term_facility",
            "folded",
            unique=True,
            sqlite_where=sql("project_id IS NULL"),
            postgresql_where=sql("project_id IS NULL"),
        ),
        CheckConstraint("kind IN ('machine', 'sample', 'processing')", name="kind"),
        CheckConstraint(
            "type IN ('text', 'number', 'date', 'choice', 'ontology', 'id')", name="type"
        ),
    )


class Value(Named, Base):
    """One spelling of a value of a text, choice, ontology or id term, kept once.

    `declared` values belong to the vocabulary; others are what people entered. A row is never
    deleted: rename and merge retire it and lead its uses to another one.
    """

    __tablename__ = "value"
    term_id: Mapped[int] = mapped_column(ForeignKey("term.id"))
    text: Mapped[str] = mapped_column(String(400))
    folded: Mapped[str] = mapped_column(String(800))
    iri: Mapped[str] = mapped_column(String(200), default="")
    declared: Mapped[bool] = mapped_column(default=False)
    retired: Mapped[bool] = mapped_column(default=False)
    term: Mapped[Term] = relationship()
    __table_args__ = (
        UniqueConstraint("term_id", "text"),
        Index("ix_value_folded", "term_id", "folded"),
    )


class Tag(Base):
    """One typed value of a term on a record, and where it came from.

    Values of number and date terms are in `number` (in the term's unit; seconds since 1970 for a
    date) with `text` as it was entered; all others are in `value`.
    """

    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"))
    term_id: Mapped[int] = mapped_column(ForeignKey("term.id"))
    value_id: Mapped[int | None] = mapped_column(ForeignKey("value.id"))
    number: Mapped[float | None] = mapped_column(Float(53))
    text: Mapped[str | None] = mapped_column(String(80))
    source: Mapped[str] = mapped_column(String(12))  # as its check says
    set_by: Mapped[str] = mapped_column(String(120))
    record: Mapped[Record] = relationship(back_populates="tags")
    term: Mapped[Term] = relationship()
    value: Mapped[Value | None] = relationship()
    __table_args__ = (
        CheckConstraint(
            "source IN ('file', 'settings', 'instrument', 'person', 'mask', 'run')", name="source"
        ),
        UniqueConstraint("record_id", "term_id", "value_id"),
        Index(
            "uq_tag_number",
            "record_id",
            "term_id",
            unique=True,
            sqlite_where=sql("value_id IS NULL"),
            postgresql_where=sql("value_id IS NULL"),
        ),
        Index(
            "ix_tag_number",
            "term_id",
            "number",
            "record_id",
            sqlite_where=sql("number IS NOT NULL"),
            postgresql_where=sql("number IS NOT NULL"),
        ),
    )

    @property
    def shown(self) -> str:
        """The value as people read it."""
        return self.value.text if self.value is not None else self.text or ""


class Posting(Base):
    """Where a record can be found: one row for each entry, project and record.

    `entry` is EVERYTHING, a value's id, or minus a dataset's id; `project_id` its home or a project
    it is linked into; `kind` 1 image, 2 labels, 3 file. The newest of an entry in a project are at
    the end of one range of the primary key. Originals and trashed records have none.
    """

    __tablename__ = "posting"
    JOURNALED = False
    entry: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    project_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    record_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    __table_args__ = ({"sqlite_with_rowid": False},)


class Tally(Base):
    """How many postings an entry has in a project: facets without a filter, and completion."""

    __tablename__ = "tally"
    JOURNALED = False
    project_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, index=True
    )
    kind: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    n: Mapped[int]


class Document(Base):
    """What is read when somebody searches for words: the folded name, and all words of a record.

    `channels` has the words of the channels' names between bars: "| dapi | egfp 488 |". It also
    lists the record's postings, so that they can be found again to be changed. Of an image that
    was acquired, `completeness` (0 to 1) is how much of what is asked of it is there, and `missing`
    has the folded keys of the rest: "| lasers | calibration z |".
    The full-text indexes over it differ by database: `db.fulltext`.
    """

    __tablename__ = "document"
    JOURNALED = False
    record_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("record.id"), primary_key=True, autoincrement=False
    )
    name: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    channels: Mapped[str] = mapped_column(Text, default="", server_default="")
    completeness: Mapped[float | None] = mapped_column(Float(53))
    missing: Mapped[str] = mapped_column(Text, default="", server_default="")
    postings: Mapped[list[Any]] = mapped_column(default=list)  # [[entry, project_id, kind]]


EVERYTHING = 0
