"""The journal, and which process has which duty."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column

from .base import UTC, Base, BigId


class Journal(Base):
    """Every committed change: who, when, what, and the rows before and after.

    Written in the change's own transaction, numbered in the order of commits. `rows`: what
    `db.capture` saw, on the first entry of a transaction; `undoes` names the entry it takes back.
    """

    __tablename__ = "journal"
    JOURNALED = False  # it is the journal
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UTC, server_default=func.now())
    person: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(160))  # "image:<uid>", "project:<name>"
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    project_id: Mapped[int | None] = mapped_column(BigInteger)
    rows: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    undoes: Mapped[int | None] = mapped_column(ForeignKey("journal.id"), unique=True)
    __table_args__ = (
        Index("ix_journal_subject", "subject", "id"),
        Index("ix_journal_project", "project_id", "id"),
    )


class Mention(Base):
    """A record that a journal entry concerns beside others, so that the record's history has it."""

    __tablename__ = "mention"
    JOURNALED = False
    record_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    __table_args__ = ({"sqlite_with_rowid": False},)


class Duty(Base):
    """A task that one process at a time does for all, until `until` by the database's clock."""

    __tablename__ = "duty"
    JOURNALED = False
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(120))
    until: Mapped[dt.datetime]
