"""What was measured of a microscope itself: quality control, a number at a time and place."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Named


class Control(Named, Base):
    """One measurement of a microscope, in its series' unit; `low` and `high` are what it may be.

    A series is a metric at a place (an objective, a laser, a point of the field). `evidence` is the
    uid of the image or run that it was read from. It is measured anew `every` so many days; None
    or 0: nobody says when.
    """

    __tablename__ = "control"
    instrument_id: Mapped[int] = mapped_column(ForeignKey("instrument.id"))
    series: Mapped[str] = mapped_column(String(500))  # folded metric and place
    metric: Mapped[str] = mapped_column(String(120))
    place: Mapped[str] = mapped_column(String(120), default="", server_default="")
    measured_at: Mapped[dt.datetime]
    value: Mapped[float]
    unit: Mapped[str] = mapped_column(String(32), default="", server_default="")
    low: Mapped[float | None]
    high: Mapped[float | None]
    every: Mapped[int | None]
    evidence: Mapped[str] = mapped_column(String(36), default="", server_default="")
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    person: Mapped[str] = mapped_column(String(120))
    __table_args__ = (Index("ix_control_series", "instrument_id", "series", "measured_at"),)
