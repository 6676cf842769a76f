"""Quality control of microscopes: series, units, limits, and what held when an image was taken."""

from __future__ import annotations

import datetime as dt
from typing import Any

import microscopes
import pytest
import shelf
import world
from microscopes import STAFF
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import controls, instruments
from cid_server_ext.core.catalog.controls import Measured
from cid_server_ext.core.life import undo
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, NotAllowed, NotFound

MARCH = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
JULY = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
FWHM = Measured("Lateral FWHM", 0.231, "µm", place="63x", high=0.26)


def measured(sessions: Sessions, uid: str, *told: Measured, **more: Any) -> None:
    with sessions.begin() as session:
        controls.record(session, STAFF, uid, told, **more)


@pytest.fixture
def scope(sessions: Sessions) -> str:
    with sessions.begin() as session:
        return microscopes.register(session).uid


def told(session: Session, uid: str, metric: str = "") -> list[tuple[str, str, float, str]]:
    rows = controls.of(session, uid, metric)
    return [(row.metric, row.place, row.value, row.unit) for row in rows]


def test_a_series_keeps_its_spelling_its_unit_and_its_limits(
    sessions: Sessions, scope: str
) -> None:
    power = Measured("Power", 2.5, "mW", place="488 nm", low=2)
    measured(sessions, scope, FWHM, power, at=MARCH)
    again = Measured("lateral  fwhm", 280, "nm", place="63X")
    measured(sessions, scope, again, at=JULY, note="after the stage was moved")
    with sessions() as session:
        assert told(session, scope, "LATERAL FWHM") == [
            ("Lateral FWHM", "63x", 0.28, "µm"),
            ("Lateral FWHM", "63x", 0.231, "µm"),
        ]
        newest, *_, oldest = controls.of(session, scope)
        assert (newest.high, controls.fine(newest)) == (0.26, False)
        assert newest.note == "after the stage was moved"
        assert controls.fine(oldest) is True
        assert controls.of(session, scope, "Power")[0].low == 2
        assert controls.of(session, scope, "Lateral") == []
    measured(sessions, scope, Measured("Lateral FWHM", 0.28, "µm", place="63x", high=0.3))
    with sessions() as session:
        assert controls.fine(controls.of(session, scope)[0]) is True


def test_what_was_recorded_by_mistake_is_taken_back(sessions: Sessions, scope: str) -> None:
    measured(sessions, scope, FWHM, Measured("Power", 2.5))
    with sessions() as session:
        entry = session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()
        assert entry.action == "record control"
        assert entry.detail["metrics"] == "Lateral FWHM, Power"
        assert controls.fine(controls.of(session, scope, "power")[0]) is None
    with sessions.begin() as session:
        undo.undo(session, STAFF, entry.id)
    with sessions() as session:
        assert controls.of(session, scope) == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Measured("Power", 1.0, "bananas"), r"measurements\[0\]\.unit 'bananas' is not known"),
        (Measured("Lateral FWHM", 1.0, "mW", place="63x"), "cannot be converted to 'µm'"),
        (Measured("Lateral FWHM", 1.0, "", place="63x"), r"\.unit: this series is in µm"),
        (Measured("Power", float("nan")), r"\.value: must be a number"),
        (Measured("Power", 1.0, low=3, high=2), r"\.low: is above high"),
        (Measured("  ", 1.0), r"measurements\[0\]\.metric: 1 to 120 characters"),
        (Measured("Power\u202e", 1.0), r"measurements\[0\]\.metric:"),
    ],
)
def test_a_measurement_that_means_nothing_is_refused_by_name(
    sessions: Sessions, scope: str, wrong: Measured, why: str
) -> None:
    measured(sessions, scope, FWHM)
    with pytest.raises(BadInput, match=why):
        measured(sessions, scope, wrong)
    with sessions() as session:
        assert len(controls.of(session, scope)) == 1


def test_only_staff_records_and_only_what_was(sessions: Sessions, scope: str) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    with pytest.raises(BadInput, match="measured_at: lies in the future"):
        measured(sessions, scope, FWHM, at=soon)
    with pytest.raises(BadInput, match="measurements: 1 to 200"):
        measured(sessions, scope)
    with pytest.raises(BadInput, match="evidence: neither an image nor a run"):
        measured(sessions, scope, FWHM, evidence="nothing")
    with pytest.raises(NotFound):
        measured(sessions, "nowhere", FWHM)
    with sessions.begin() as session, pytest.raises(NotAllowed):
        controls.record(session, Actor("somebody"), scope, [FWHM])


def test_an_image_is_linked_to_the_last_control_before_it_was_taken(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "beads")
        [image] = shelf.add_images(session, "beads", ["beads"])
        scope = microscopes.register(session).uid
        row = instruments.find(session, scope)
        assert controls.before(session, image) == []
        image.instrument_id, image.acquired_at = row.id, dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
        uid = image.uid
    measured(sessions, scope, FWHM, Measured("Power", 2.5, "mW"), at=MARCH, evidence=uid)
    measured(sessions, scope, FWHM, at=MARCH - dt.timedelta(days=90))
    measured(sessions, scope, Measured("Lateral FWHM", 0.4, "µm", place="63x"), at=JULY)
    with sessions() as session:
        image = session.scalars(select(t.Image).where(t.Image.uid == uid)).one()
        held = controls.before(session, image)
        assert [(row.metric, row.value) for row in held] == [
            ("Lateral FWHM", 0.231),
            ("Power", 2.5),
        ]
        assert {row.evidence for row in held} == {uid}
        image.acquired_at = None  # then the day it came in counts
        assert controls.before(session, image)[0].value == 0.4
