"""Teams, projects, who belongs to them in which role, and what they may hold."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Named


class Team(Named, Base):
    """A lab; it is invoiced by its tariff, at its address."""

    __tablename__ = "team"
    name: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(200), default="")
    tariff: Mapped[str] = mapped_column(String(12), default="internal", server_default="internal")
    address: Mapped[str] = mapped_column(Text, default="", server_default="")
    __table_args__ = (
        CheckConstraint("tariff IN ('internal', 'academic', 'industrial')", name="tariff"),
    )


class TeamMember(Base):
    """A person's place in a team until `ends_at`: leader or member."""

    __tablename__ = "team_member"
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), primary_key=True)
    person: Mapped[str] = mapped_column(String(120), primary_key=True)
    role: Mapped[str] = mapped_column(String(12))
    ends_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("role IN ('leader', 'member')", name="role"),
        Index("ix_team_member_person", "person"),
    )


class Project(Named, Base):
    """Holds datasets; has members, a vocabulary and an allocation."""

    __tablename__ = "project"
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), index=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(12), default="active")
    team: Mapped[Team] = relationship()
    allocation: Mapped[Allocation] = relationship(back_populates="project")
    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'active', 'archiving', 'archived', 'recalling', 'closed')",
            name="state",
        ),
    )


class ProjectMember(Base):
    """A person's role in a project until `ends_at`."""

    __tablename__ = "project_member"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    person: Mapped[str] = mapped_column(String(120), primary_key=True)
    role: Mapped[str] = mapped_column(String(12))
    ends_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'annotator', 'contributor', 'manager')", name="role"),
        Index("ix_project_member_person", "person"),
    )


class Allocation(Base):
    """Bytes a project may hold. `used` and `reserved` move only by conditional UPDATE.

    Past `soft` people are warned, past `limit` they are refused. `used` counts every record whose
    home the project is, the trashed ones too; those in the archive are counted apart.
    """

    __tablename__ = "allocation"
    PASSING = frozenset({"used", "reserved"})  # sums of what records, runs and deposits hold
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    limit: Mapped[int] = mapped_column(BigInteger, default=0)
    soft: Mapped[int | None] = mapped_column(BigInteger)
    used: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)
    project: Mapped[Project] = relationship(back_populates="allocation")
    __table_args__ = (
        CheckConstraint("used >= 0", name="used"),
        CheckConstraint("reserved >= 0", name="reserved"),
    )


class Request(Named, Base):
    """Somebody asks for a project; staff approves, which makes it, or refuses with a reason.

    `wanted`: {name, team, title, limit, members: {person: role}, terms: [...], purpose}.
    """

    __tablename__ = "request"
    person: Mapped[str] = mapped_column(String(120), index=True)
    state: Mapped[str] = mapped_column(String(12), default="asked")
    wanted: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[dt.datetime | None]
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    project: Mapped[Project | None] = relationship()
    __table_args__ = (
        CheckConstraint("state IN ('asked', 'approved', 'refused', 'withdrawn')", name="state"),
    )
