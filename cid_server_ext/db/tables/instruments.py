"""The facility's microscopes as they were at each time, and what an upload from one must say."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Named


class Instrument(Named, Base):
    """A microscope of the facility. `names` are what files, folders and bookings call it."""

    __tablename__ = "instrument"
    name: Mapped[str] = mapped_column(String(120))
    folded: Mapped[str] = mapped_column(String(240), unique=True)
    serial: Mapped[str] = mapped_column(String(120), default="", server_default="")
    room: Mapped[str] = mapped_column(String(120), default="", server_default="")
    names: Mapped[list[Any]]
    retired: Mapped[bool] = mapped_column(default=False)
    versions: Mapped[list[InstrumentVersion]] = relationship(
        back_populates="instrument", order_by="InstrumentVersion.valid_from"
    )


class InstrumentVersion(Named, Base):
    """What a microscope was made of from `valid_from` until the next version's.

    `hardware` is what fills tags: {"microscope", "software", "objectives", "lasers", "filters",
    "detectors"}; `document` is the Micro-Meta App JSON it was made from, as it came.
    """

    __tablename__ = "instrument_version"
    instrument_id: Mapped[int] = mapped_column(ForeignKey("instrument.id"))
    valid_from: Mapped[dt.datetime]
    hardware: Mapped[dict[str, Any]]
    document: Mapped[dict[str, Any]]
    why: Mapped[str] = mapped_column(Text, default="", server_default="")
    person: Mapped[str] = mapped_column(String(120))
    instrument: Mapped[Instrument] = relationship(back_populates="versions")
    __table_args__ = (UniqueConstraint("instrument_id", "valid_from"),)


class Mask(Named, Base):
    """What an upload must and may say, for one microscope or for any; its versions hold it."""

    __tablename__ = "mask"
    name: Mapped[str] = mapped_column(String(120))
    folded: Mapped[str] = mapped_column(String(240), unique=True)
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey("instrument.id"), index=True)
    retired: Mapped[bool] = mapped_column(default=False)
    instrument: Mapped[Instrument | None] = relationship()
    versions: Mapped[list[MaskVersion]] = relationship(
        back_populates="mask", order_by="MaskVersion.number"
    )


class MaskVersion(Named, Base):
    """One text of a mask, never changed: `text` is its YAML as written, `body` what it means.

    `note` says why it was made.
    """

    __tablename__ = "mask_version"
    mask_id: Mapped[int] = mapped_column(ForeignKey("mask.id"))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    person: Mapped[str] = mapped_column(String(120))
    mask: Mapped[Mask] = relationship(back_populates="versions")
    __table_args__ = (UniqueConstraint("mask_id", "number"),)
