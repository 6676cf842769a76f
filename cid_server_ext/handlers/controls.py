"""Quality control of microscopes: what was measured, and what held when an image was taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from ..core.catalog import controls, images
from ..db import tables as t
from .base import Ask, CidHandler, endpoint
from .reading import Moment

Text = Annotated[str, Field(max_length=1000)]


class NewMeasurement(BaseModel):
    """One number; `place` is the objective, laser or point of the field that it belongs to.

    It is to be measured again in `every` so many days; 0: no more.
    """

    model_config = ConfigDict(extra="forbid")
    metric: Text
    value: FiniteFloat
    unit: Text = ""
    place: Text = ""
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    every: int | None = None


class NewControl(BaseModel):
    """What was measured at one moment (now), and the uid of the image or run it was read from."""

    model_config = ConfigDict(extra="forbid")
    measurements: Annotated[list[NewMeasurement], Field(min_length=1, max_length=controls.MOST)]
    measured_at: Moment | None = None
    evidence: Text = ""
    note: Text = ""


class Measurement(BaseModel):
    """One number of a series; `fine` tells if it lies where it may, null where nobody said so.

    It is to be measured again until `due`, null where nobody said so.
    """

    uid: str
    metric: str
    place: str
    measured_at: dt.datetime
    value: float
    unit: str
    low: float | None
    high: float | None
    fine: bool | None
    every: int | None
    due: dt.datetime | None
    evidence: str
    note: str
    person: str


class Measurements(BaseModel):
    """The newest first, or, of an image, the last of each series before it was taken."""

    measurements: list[Measurement]


class Which(BaseModel):
    """One metric only."""

    model_config = ConfigDict(extra="forbid")
    metric: Text = ""


class Controls(CidHandler):
    """instruments/{instrument}/controls."""

    @endpoint("Quality control of one", who="anyone", query=Which, answer=Measurements)
    def get(self, ask: Ask, instrument: str) -> Measurements:
        """At most 5,000 measurements, the newest first."""
        return _shaped(controls.of(ask.session, instrument, ask.query.metric))

    @endpoint("Record control", who="staff", body=NewControl, answer=Measurements, status=201)
    def post(self, ask: Ask, instrument: str) -> Measurements:
        """All of one session at the microscope in one call, one step to undo."""
        new = ask.body
        told = [controls.Measured(**one.model_dump()) for one in new.measurements]
        rows = controls.record(
            ask.session,
            ask.actor,
            instrument,
            told,
            at=new.measured_at,
            evidence=new.evidence,
            note=new.note,
        )
        return _shaped(rows)


class ImageControls(CidHandler):
    """images/{image}/controls."""

    @endpoint("Control before it was taken", who="viewer", answer=Measurements)
    def get(self, ask: Ask, image: str) -> Measurements:
        """The last measurement of each series of its microscope."""
        return _shaped(controls.before(ask.session, images.get(ask.session, ask.actor, image)))


def _shaped(rows: Sequence[t.Control]) -> Measurements:
    told = [
        Measurement(
            uid=row.uid,
            metric=row.metric,
            place=row.place,
            measured_at=row.measured_at,
            value=row.value,
            unit=row.unit,
            low=row.low,
            high=row.high,
            fine=controls.fine(row),
            every=row.every,
            due=controls.due(row),
            evidence=row.evidence,
            note=row.note,
            person=row.person,
        )
        for row in rows
    ]
    return Measurements(measurements=told)
