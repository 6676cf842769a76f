"""What runs by itself: a template subscribed to a saved search, and what it matched."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Named
from .people import Project
from .records import Dataset, Record
from .work import Run, Template


class Subscription(Named, Base):
    """A template that runs once on each image that a saved search newly finds in its project.

    Runs are submitted in the name of `person`. `most_*` are its budget, `runs`, `today` (those of
    `day`, UTC) and `nbytes` (reserved for them) what is spent of it. A paused one says why in
    `cause`, for us, and `reason`, for people; `needs`: bytes of the next run, where room is short.
    `inputs` are further ones of all runs: uids by role.
    """

    __tablename__ = "subscription"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"))
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), index=True)  # a live one
    person: Mapped[str] = mapped_column(String(120))
    parameters: Mapped[dict[str, Any]]
    inputs: Mapped[dict[str, Any]] = mapped_column(default=dict)
    priority: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(8), default="active", index=True)
    cause: Mapped[str | None] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(Text)
    most_runs: Mapped[int | None]
    most_a_day: Mapped[int | None]
    most_bytes: Mapped[int | None] = mapped_column(BigInteger)
    runs: Mapped[int] = mapped_column(default=0)
    nbytes: Mapped[int] = mapped_column(BigInteger, default=0)
    day: Mapped[dt.date | None] = mapped_column(Date)
    today: Mapped[int] = mapped_column(default=0)
    needs: Mapped[int] = mapped_column(BigInteger, default=0)
    project: Mapped[Project] = relationship()
    template: Mapped[Template] = relationship()
    dataset: Mapped[Dataset] = relationship()
    __table_args__ = (CheckConstraint("state IN ('active', 'paused', 'ended')", name="state"),)


class SubscriptionMatch(Base):
    """An image that a subscription's search found; there is one row for both, so one run.

    `there`: it matched before the subscription began. `waiting`: it will be run. `run`: `run_id`
    was submitted in the transaction that said so. `left`: it is not run, for this `reason`.
    """

    __tablename__ = "subscription_match"
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), primary_key=True, index=True)
    state: Mapped[str] = mapped_column(String(8))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), unique=True)
    reason: Mapped[str | None] = mapped_column(Text)
    record: Mapped[Record] = relationship()
    run: Mapped[Run | None] = relationship()
    __table_args__ = (
        CheckConstraint("state IN ('there', 'waiting', 'run', 'left')", name="state"),
        Index("ix_subscription_match_state", "subscription_id", "state", "record_id"),
    )
