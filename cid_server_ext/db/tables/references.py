"""Originals whose bytes stay where they are: which tree, where in it, and what they were there."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import UTC, Base
from .records import File


class Reference(Base):
    """Where the bytes of one original lie in a tree that the operator named.

    `form`: file; set, a file with the others that belong to it; tree, an OME-Zarr. `nbytes` and
    `mtime_ns` are what a file had when it was hashed; of a tree nothing is newer than `mtime_ns`,
    and `nbytes` are those of its metadata until `hashed_at` says that its chunks are known too.
    `adoption` is the unit that it came with. `state`: ok, changed, moved or missing, with `reason`.
    """

    __tablename__ = "reference"
    PASSING = frozenset({"checked_at"})
    record_id: Mapped[int] = mapped_column(
        ForeignKey("record.id"), primary_key=True, autoincrement=False
    )
    adoption: Mapped[str] = mapped_column(String(36), index=True)
    root: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(String(600))
    form: Mapped[str] = mapped_column(String(8))
    nbytes: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    hashed_at: Mapped[dt.datetime | None]
    state: Mapped[str] = mapped_column(String(8), default="ok")
    reason: Mapped[str] = mapped_column(String(300), default="")
    checked_at: Mapped[dt.datetime | None] = mapped_column(UTC)
    record: Mapped[File] = relationship()
    __table_args__ = (
        CheckConstraint("form IN ('file', 'set', 'tree')", name="form"),
        CheckConstraint("state IN ('ok', 'changed', 'moved', 'missing')", name="state"),
        Index("uq_reference_place", "root", "path", unique=True),
    )
