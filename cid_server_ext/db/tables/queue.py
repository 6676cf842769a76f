"""What the queue goes by: what teams may have at a time, and what they had lately."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, BigId, Named
from .people import Team

FACILITY = "facility"  # the uid of the row that speaks where a team's own says nothing


class RunLimits(Named, Base):
    """What a team may have under way at a time, and a month; NULL: as the facility's row says.

    `batches` are clusters; `person_*` hold for each person in the team; a larger `share` of the
    machines is a larger part of them.
    """

    __tablename__ = "run_limits"
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"), unique=True)
    share: Mapped[float | None] = mapped_column(Float)
    batches: Mapped[int | None]
    runs: Mapped[int | None]
    person_batches: Mapped[int | None]
    person_runs: Mapped[int | None]
    gpu_minutes: Mapped[int | None]  # a calendar month (UTC)
    team: Mapped[Team | None] = relationship()
    __table_args__ = (CheckConstraint("share > 0", name="share"),)


class Conducting(Base):
    """A conductor that works, since when, and its last sign of life."""

    __tablename__ = "conducting"
    JOURNALED = False  # who works now
    conductor: Mapped[str] = mapped_column(String(120), primary_key=True)
    since: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]


class TeamUse(Base):
    """The machine time that a team had lately, in core-seconds as they count at `at`."""

    __tablename__ = "team_use"
    JOURNALED = False  # fades within hours
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), primary_key=True)
    used: Mapped[float] = mapped_column(Float)
    at: Mapped[dt.datetime]


class Spent(Base):
    """Core-seconds of one attempt, until the next claim adds them to its team's use.

    Rows of their own, so that runs which end at the same time wait for no row of their team.
    """

    __tablename__ = "spent"
    JOURNALED = False
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"))
    used: Mapped[float] = mapped_column(Float)
    at: Mapped[dt.datetime]
