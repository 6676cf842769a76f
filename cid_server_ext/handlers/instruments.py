"""The instrument register: microscopes, what they were made of at each time, settings of images."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ..core.catalog import descriptions, images, instruments, settings
from ..db import clock
from ..db import tables as t
from . import shapes
from .base import Ask, CidHandler, endpoint
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


class NewVersion(BaseModel):
    """What it is made of from `valid_from` (now) on: `hardware`, or a `document` that says it.

    The document is a Microscope.JSON of the Micro-Meta App, or `{"xml": OME XML}`.
    """

    model_config = ConfigDict(extra="forbid")
    hardware: dict[str, Any] | None = None
    document: dict[str, Any] | None = None
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


class Instruments(CidHandler):
    """instruments."""

    @endpoint("The facility's microscopes", who="anyone", answer=AllInstruments)
    def get(self, ask: Ask) -> AllInstruments:
        """All of them, the retired ones too."""
        return AllInstruments(instruments=_shaped(instruments.listing(ask.session)))

    @endpoint("Register one", who="staff", body=NewInstrument, answer=Instrument, status=201)
    def post(self, ask: Ask) -> Instrument:
        """What it is made of is said by its first version."""
        new = ask.body.model_dump()
        return _shaped([instruments.add(ask.session, ask.actor, **new)])[0]


class OneInstrument(CidHandler):
    """instruments/{instrument}."""

    @endpoint("One microscope", who="anyone", answer=Instrument)
    def get(self, ask: Ask, instrument: str) -> Instrument:
        """For everybody."""
        return _shaped([instruments.find(ask.session, instrument)])[0]

    @endpoint("Change a microscope", who="staff", body=ChangeInstrument, answer=Instrument)
    def patch(self, ask: Ask, instrument: str) -> Instrument:
        """Name, serial, room, names, retired."""
        changes = ask.body.model_dump(exclude_none=True)
        return _shaped([instruments.change(ask.session, ask.actor, instrument, changes)])[0]


class Versions(CidHandler):
    """instruments/{instrument}/versions."""

    @endpoint("Say what it is made of", who="staff", body=NewVersion, answer=Instrument)
    def put(self, ask: Ask, instrument: str) -> Instrument:
        """From a moment on; what was said for the same moment is corrected."""
        new = ask.body
        instruments.put_version(
            ask.session,
            ask.actor,
            instrument,
            valid_from=new.valid_from or clock.now(ask.session),
            made_of=descriptions.hardware(new.hardware, new.document),
            document=new.document,
            why=new.why,
        )
        return _shaped([instruments.find(ask.session, instrument)])[0]


class OneVersion(CidHandler):
    """instruments/{instrument}/versions/{version}."""

    @endpoint("One version, with its document", who="anyone", answer=WholeVersion)
    def get(self, ask: Ask, instrument: str, version: str) -> WholeVersion:
        """As it came."""
        row = instruments.version(ask.session, instrument, version)
        return WholeVersion(**_version(row), document=row.document)


class ImageSettings(CidHandler):
    """images/{image}/settings."""

    @endpoint("Fill tags from settings", who="annotator", body=Settings, answer=shapes.Image)
    def put(self, ask: Ask, image: str) -> shapes.Image:
        """What the image says already stays."""
        settings.apply(ask.session, ask.actor, image, ask.body.document)
        return shapes.image(ask, images.get(ask.session, ask.actor, image))


def _shaped(rows: Sequence[t.Instrument]) -> list[Instrument]:
    return [
        Instrument(
            uid=row.uid,
            name=row.name,
            serial=row.serial,
            room=row.room,
            names=row.names,
            retired=row.retired,
            versions=[Version(**_version(one)) for one in reversed(row.versions)],
        )
        for row in rows
    ]


def _version(row: t.InstrumentVersion) -> dict[str, Any]:
    told = descriptions.tier(row.document)
    return {
        "uid": row.uid,
        "valid_from": row.valid_from,
        "hardware": row.hardware,
        "why": row.why,
        "person": row.person,
        "created_at": row.created_at,
        "tier": told
        and Tier(reached=told.reached, missing={str(n): f for n, f in told.missing.items()}),
    }
