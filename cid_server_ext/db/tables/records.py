"""Datasets and what lies in them: images and any other file are records of one table.

Bytes lie in storage, below the `prefix` that a record names.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Named
from .people import Project

if TYPE_CHECKING:
    from .vocabulary import Tag


class Trash(Named, Base):
    """What was thrown away in one step; until `purge_at` it comes back as it was."""

    __tablename__ = "trash"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    person: Mapped[str] = mapped_column(String(120))
    what: Mapped[str] = mapped_column(String(400))  # for people: "3 images of screen/plate 1"
    nbytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(12), default="kept")
    purge_at: Mapped[dt.datetime]
    project: Mapped[Project] = relationship()
    __table_args__ = (CheckConstraint("state IN ('kept', 'restored', 'purged')", name="state"),)


class Dataset(Named, Base):
    """A folder of records in a project; datasets nest. With a `query` it is live: a saved search.

    A live dataset holds nothing itself; it shows what its query finds inside the project.
    """

    __tablename__ = "dataset"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("dataset.id", deferrable=True, initially="DEFERRED"), index=True
    )
    path: Mapped[str] = mapped_column(String(700))  # "screen/plate 1", unique in the project
    query: Mapped[str | None] = mapped_column(Text)
    trash_id: Mapped[int | None] = mapped_column(ForeignKey("trash.id"), index=True)
    project: Mapped[Project] = relationship()
    parent: Mapped[Dataset | None] = relationship(remote_side="Dataset.id")
    __table_args__ = (
        Index(  # what is in the trash stands in nobody's way
            "uq_dataset_path",
            "project_id",
            "path",
            unique=True,
            sqlite_where=sql("trash_id IS NULL"),
            postgresql_where=sql("trash_id IS NULL"),
        ),
    )

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class Record(Named, Base):
    """An image or a file: same rights, tags, allocation, trash and archive.

    `kind`: image or labels (an `Image`); original (the bytes an image was made from), table,
    figure, notebook, log or file (a `File`). It is charged to `project_id`, its home, whatever it
    is linked into. A purged record keeps its name and digest for the runs that read it.
    """

    __tablename__ = "record"
    type: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(12))
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"))
    name: Mapped[str] = mapped_column(String(255))
    prefix: Mapped[str] = mapped_column(String(200))
    nbytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    tier: Mapped[str] = mapped_column(String(12), default="online", server_default="online")
    created_by: Mapped[str] = mapped_column(String(120))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), index=True)
    trash_id: Mapped[int | None] = mapped_column(ForeignKey("trash.id"), index=True)
    purged_at: Mapped[dt.datetime | None]
    project: Mapped[Project] = relationship()
    dataset: Mapped[Dataset] = relationship()
    trash: Mapped[Trash | None] = relationship()
    links: Mapped[list[Link]] = relationship(back_populates="record", order_by="Link.dataset_id")
    tags: Mapped[list[Tag]] = relationship(back_populates="record", order_by="Tag.id")
    __mapper_args__ = {"polymorphic_on": "type"}
    __table_args__ = (
        CheckConstraint(
            "kind IN ('image', 'labels', 'original', 'table', 'figure', 'notebook', 'log', 'file')",
            name="kind",
        ),
        CheckConstraint("tier IN ('online', 'archive')", name="tier"),
        Index("ix_record_project_newest", "project_id", "id"),
        Index("ix_record_dataset_newest", "dataset_id", "id"),
        Index("ix_record_created_by", "created_by", "id"),
        Index(  # what is held is summed from this alone, whatever else a record has
            "ix_record_held",
            "project_id",
            "dataset_id",
            "tier",
            "trash_id",
            "nbytes",
            sqlite_where=sql("purged_at IS NULL"),
            postgresql_where=sql("purged_at IS NULL"),
        ),
    )


class Image(Record):
    """One multidimensional image (kind image) or label image (kind labels), never changed.

    `axes` is a string of t c z y x in order, `shape` its lengths at level 0. `scale` holds the
    physical size of a pixel for the axes where it is known, `units` their UCUM-like OME names;
    an axis that is absent there is not calibrated. `sha256` is that of the store's sorted list
    of file digests. `unknown` says of each machine tag that was missing at its import why it was;
    `quality` holds the measures of each channel with the version that made them. `inside`: its
    pixels stay where they were, at this path inside its original, an OME-Zarr in place ("" is all
    of it); see `db.tables.references`.
    """

    __mapper_args__ = {"polymorphic_identity": "image"}
    axes: Mapped[str] = mapped_column(String(8), nullable=True)
    shape: Mapped[list[Any]] = mapped_column(nullable=True)
    dtype: Mapped[str] = mapped_column(String(12), nullable=True)
    levels: Mapped[int] = mapped_column(nullable=True)
    scale: Mapped[dict[str, Any]] = mapped_column(nullable=True)
    units: Mapped[dict[str, Any]] = mapped_column(nullable=True)
    channels: Mapped[list[Any]] = mapped_column(nullable=True)
    acquired_at: Mapped[dt.datetime | None]
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey("instrument.id"), index=True)
    mask_version_id: Mapped[int | None] = mapped_column(ForeignKey("mask_version.id"), index=True)
    unknown: Mapped[dict[str, Any]] = mapped_column(nullable=True)
    quality: Mapped[dict[str, Any]] = mapped_column(nullable=True)
    inside: Mapped[str | None] = mapped_column(String(400))
    original_id: Mapped[int | None] = mapped_column(
        ForeignKey("record.id", deferrable=True, initially="DEFERRED"), index=True
    )
    source_id: Mapped[int | None] = mapped_column(
        ForeignKey("record.id", deferrable=True, initially="DEFERRED"), index=True
    )
    original: Mapped[File | None] = relationship(
        foreign_keys="Image.original_id", remote_side="Record.id"
    )
    source: Mapped[Image | None] = relationship(
        foreign_keys="Image.source_id", remote_side="Record.id"
    )


class File(Record):
    """A deposited file that is kept as it came: an original, or any other file.

    `filename` is what its bytes are called below the prefix, once `name` says something else.
    `blake3` is made in the same reading as `sha256`.
    """

    __mapper_args__ = {"polymorphic_identity": "file"}
    media_type: Mapped[str] = mapped_column(String(100), nullable=True)
    filename: Mapped[str | None] = mapped_column(String(255))
    blake3: Mapped[str | None] = mapped_column(String(64), index=True)

    @property
    def stored(self) -> str:
        """The name of its bytes below the prefix."""
        return self.filename or self.name


class Link(Base):
    """A record shown in a second dataset, of its own or another project, without a copy."""

    __tablename__ = "link"
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), primary_key=True, index=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))  # the dataset's
    linked_by: Mapped[str] = mapped_column(String(120))
    record: Mapped[Record] = relationship(back_populates="links")
    dataset: Mapped[Dataset] = relationship()
    __table_args__ = (Index("ix_link_project", "project_id", "record_id"),)


class Note(Named, Base):
    """What somebody wrote about a project, or about one dataset or record of it."""

    __tablename__ = "note"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id"), index=True)
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"), index=True)
    person: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    edited_at: Mapped[dt.datetime | None]
    project: Mapped[Project] = relationship()
    dataset: Mapped[Dataset | None] = relationship()
    record: Mapped[Record | None] = relationship()


class Grave(Base):
    """Bytes whose record is purged and that still lie in storage; removed, then forgotten."""

    __tablename__ = "grave"
    JOURNALED = False
    prefix: Mapped[str] = mapped_column(String(200), primary_key=True)
