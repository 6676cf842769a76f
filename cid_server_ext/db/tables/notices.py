"""What a person is told of without having asked, and whether by mail."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Named


class Notice(Named, Base):
    """A line for one person: what happened (`kind`) to what (`about`, as "batch:<uid>").

    One that names a project is told only while its person may see that project. `mail`: none (not
    by mail), due (from `mail_at` on), sent, or refused by the mail server.
    """

    __tablename__ = "notice"
    JOURNALED = False  # of the moment: a catalog that was made again begins without any
    person: Mapped[str] = mapped_column(String(120))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    about: Mapped[str] = mapped_column(String(160))
    text: Mapped[str] = mapped_column(Text)
    read_at: Mapped[dt.datetime | None]
    mail: Mapped[str] = mapped_column(String(8), default="none")
    mail_at: Mapped[dt.datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    __table_args__ = (
        CheckConstraint("mail IN ('none', 'due', 'sent', 'refused')", name="mail"),
        Index("ix_notice_person", "person", "id"),
        Index(
            "ix_notice_due",
            "mail_at",
            sqlite_where=sql("mail = 'due'"),
            postgresql_where=sql("mail = 'due'"),
        ),
    )


class MailWish(Base):
    """How a person wants notices by mail, and at which address; without a row: not at all."""

    __tablename__ = "mail_wish"
    person: Mapped[str] = mapped_column(String(120), primary_key=True)
    mail: Mapped[str] = mapped_column(String(8))
    address: Mapped[str] = mapped_column(String(254))
    __table_args__ = (CheckConstraint("mail IN ('none', 'each', 'daily')", name="mail"),)
