"""The shapes of microscopes: what is asked, and what is told of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ..core.catalog import descriptions, instruments, standing
from ..db import tables as t
from .reading import Moment

Text = Annotated[str, Field(max_length=1000)]
Names = Annotated[list[Text], Field(max_length=instruments.MOST_NAMES)]


class NewInstrument(BaseModel):
    """A microscope; `names` are what files and folders call it."""

    model_config = ConfigDict(extra="forbid")
    name: Text
    serial: Text = ""
    room: Text = ""
    names: Names = []


class ChangeInstrument(BaseModel):
    """What shall be otherwise."""

    model_config = ConfigDict(extra="forbid")
    name: Text | None = None
    serial: Text | None = None
    room: Text | None = None
    names: Names | None = None
    retired: bool | None = None


class Description(BaseModel):
    """What a microscope is made of: `hardware`, or a `document` that says it.

    The document is a Microscope.JSON of the Micro-Meta App, or `{"xml": OME XML}`.
    """

    model_config = ConfigDict(extra="forbid")
    hardware: dict[str, Any] | None = None
    document: dict[str, Any] | None = None


class NewVersion(Description):
    """What it is made of from `valid_from` (now) on."""

    valid_from: Moment | None = None
    why: Text = ""


class Settings(BaseModel):
    """A Settings.JSON of the Micro-Meta App."""

    model_config = ConfigDict(extra="forbid")
    document: dict[str, Any]


class Tier(BaseModel):
    """The tier of 4DN-BINA-OME that a document reaches, and what the tiers above lack."""

    reached: int
    missing: dict[str, list[str]]


class Described(BaseModel):
    """What a description says; `name` "" where it gives none."""

    name: str
    hardware: dict[str, Any]
    tier: Tier | None


class Series(BaseModel):
    """A metric at a place."""

    metric: str
    place: str


class Standing(BaseModel):
    """How a microscope stands; control: within, out (of limits), overdue, or never (measured).

    Its images are those that the caller sees.
    """

    uid: str
    name: str
    images: int
    last_used: dt.datetime | None
    control: str
    measured_at: dt.datetime | None
    out: list[Series]
    overdue: list[Series]


class AllStanding(BaseModel):
    """Microscopes by name."""

    instruments: list[Standing]


class Version(BaseModel):
    """What an instrument was made of; `tier` only where a Micro-Meta App document says it."""

    uid: str
    valid_from: dt.datetime
    hardware: dict[str, Any]
    why: str
    person: str
    created_at: dt.datetime
    tier: Tier | None


class WholeVersion(Version):
    """With the document it was read from, as it came."""

    document: dict[str, Any]


class Instrument(BaseModel):
    """A microscope and all its versions, the newest first."""

    uid: str
    name: str
    serial: str
    room: str
    names: list[str]
    retired: bool
    versions: list[Version]


class AllInstruments(BaseModel):
    """Microscopes by name."""

    instruments: list[Instrument]


def shaped(rows: Sequence[t.Instrument]) -> list[Instrument]:
    """Return microscopes with their versions, the newest first."""
    return [
        Instrument(
            uid=row.uid,
            name=row.name,
            serial=row.serial,
            room=row.room,
            names=row.names,
            retired=row.retired,
            versions=[Version(**version(one)) for one in reversed(row.versions)],
        )
        for row in rows
    ]


def standing_of(row: standing.Standing) -> Standing:
    """Return how a microscope stands."""
    told = {**asdict(row), "out": _series(row.out), "overdue": _series(row.overdue)}
    return Standing(**told)


def _series(names: Sequence[tuple[str, str]]) -> list[Series]:
    return [Series(metric=metric, place=place) for metric, place in names]


def version(row: t.InstrumentVersion) -> dict[str, Any]:
    """Return a version without its document."""
    return {
        "uid": row.uid,
        "valid_from": row.valid_from,
        "hardware": row.hardware,
        "why": row.why,
        "person": row.person,
        "created_at": row.created_at,
        "tier": tier(row.document),
    }


def tier(document: Mapping[str, Any]) -> Tier | None:
    """Return the tier that a document reaches, if it says one."""
    told = descriptions.tier(document)
    if told is None:
        return None
    return Tier(reached=told.reached, missing={str(n): f for n, f in told.missing.items()})
