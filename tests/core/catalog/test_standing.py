"""How microscopes stand: what they took as far as one sees it, and whether their control holds."""

from __future__ import annotations

import datetime as dt

import microscopes
import pytest
import shelf
import world
from microscopes import STAFF
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import controls, instruments, standing
from cid_server_ext.core.catalog.controls import Measured
from cid_server_ext.core.search import find
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput

NOW = dt.datetime.now(dt.UTC)
MEMBER, STRANGER = Actor("viewer"), Actor("stranger")


def state(sessions: Sessions, name: str) -> tuple[str, list[str], list[str]]:
    with sessions() as session:
        one = next(each for each in standing.listing(session, STAFF) if each.name == name)
        return one.control, [m for m, _ in one.out], [m for m, _ in one.overdue]


def measured(sessions: Sessions, uid: str, *told: Measured, days_ago: int) -> None:
    with sessions.begin() as session:
        controls.record(session, STAFF, uid, told, at=NOW - dt.timedelta(days=days_ago))


def test_control_is_out_before_it_is_overdue_and_the_other_microscopes_are_apart(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        one = microscopes.register(session).uid
        microscopes.register(session, "Widefield", names=())
    assert state(sessions, "Confocal 1") == ("never", [], [])
    measured(sessions, one, Measured("FWHM", 231, "nm", high=260, every=90), days_ago=100)
    assert state(sessions, "Confocal 1") == ("overdue", [], ["FWHM"])
    measured(sessions, one, Measured("FWHM", 300, "nm"), Measured("Power", 2), days_ago=95)
    assert state(sessions, "Confocal 1") == ("out", ["FWHM"], ["FWHM"])
    measured(sessions, one, Measured("FWHM", 240, "nm"), days_ago=1)
    assert state(sessions, "Confocal 1") == ("within", [], [])
    assert state(sessions, "Widefield") == ("never", [], [])
    measured(sessions, one, Measured("FWHM", 240, "nm", every=0), days_ago=0)
    with sessions() as session:
        newest = controls.of(session, one)[0]
        assert (newest.every, controls.due(newest), newest.high) == (0, None, 260)
    with pytest.raises(BadInput, match=r"measurements\[0\]\.every: 0 to 3660 days"):
        measured(sessions, one, Measured("FWHM", 240, "nm", every=-1), days_ago=0)


def found(session: Session, actor: Actor, query: str) -> int:
    return find.count(session, actor, find.Asked(query))


def test_images_count_and_are_found_as_far_as_one_sees_them(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "beads")
        several = shelf.add_images(session, "beads", ["a", "b", "of no microscope"])
        scope = instruments.find(session, microscopes.register(session, "Confocal “1”").uid)
        for image, day in zip(several[:2], (1, 3), strict=True):
            image.instrument_id, image.acquired_at = (
                scope.id,
                dt.datetime(2026, 5, day, tzinfo=dt.UTC),
            )
    with sessions() as session:
        for actor, images, last in ((MEMBER, 2, 3), (STRANGER, 0, None)):
            [one] = standing.listing(session, actor)
            assert (one.images, one.last_used and one.last_used.day) == (images, last)
            assert found(session, actor, 'instrument:"CONFOCAL “1”"') == images
        assert found(session, MEMBER, f"instrument:{scope.uid}") == 2
        assert found(session, MEMBER, "instrument:confocal") == 0
        assert found(session, MEMBER, '-instrument:"Confocal “1”"') == 1
