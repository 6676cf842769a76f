"""A queued run starts only while its person may still submit there."""

from __future__ import annotations

import datetime as dt

import pytest
import world
from sqlalchemy import select, update

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.people import members
from cid_server_ext.core.queue import claims, leases
from cid_server_ext.core.runs import submit
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions

PEOPLE = (Actor("contributor"), Actor("manager"), Actor("leader"), world.STAFF)


@pytest.fixture
def queued(sessions: Sessions) -> dict[str, int]:
    """Return by person the number of a run that waits."""
    with sessions.begin() as session:
        world.make_project(session, "screen", limit=10**8)
        image = world.add_image(session, "screen", "cells").uid
        templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        return {
            who.name: submit.submit(session, who, "count-things", [image], {})[0].id
            for who in PEOPLE
        }


def take_all(sessions: Sessions) -> set[int]:
    """Claim as a conductor does, until nothing waits; return what may start."""
    taken: set[int] = set()
    for _ in PEOPLE:
        with sessions.begin() as session:
            claim = claims.claim(session, "one")
            taken |= {run.id for run in claim.runs} if claim else set()
    return taken


def reserved(sessions: Sessions) -> int:
    with sessions() as session:
        return session.scalars(select(t.Allocation.reserved)).one()


def test_who_has_the_role_by_himself_as_leader_or_as_staff_starts(
    sessions: Sessions, queued: dict[str, int]
) -> None:
    assert take_all(sessions) == set(queued.values())


def test_who_lost_it_fails_and_gives_the_room_back(
    sessions: Sessions, queued: dict[str, int]
) -> None:
    before = reserved(sessions)
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
    with sessions.begin() as session:
        members.put_member(session, world.STAFF, "screen", "contributor", "annotator")
        members.remove_member(session, world.STAFF, "screen", "manager")
        session.execute(update(t.TeamMember).values(ends_at=past), execution_options=CAPTURED)
    assert take_all(sessions) == {queued["staff"]}
    assert reserved(sessions) == before // len(PEOPLE)
    with sessions() as session:
        for name in ("contributor", "manager", "leader"):
            run = session.get_one(t.Run, queued[name])
            assert (run.state, run.reserved, run.attempt) == ("failed", 0, 0)
            assert run.error["error"] == "NotAllowed"
            assert f"{name} is no longer contributor of project 'screen'" in run.error["message"]
            told = select(t.Journal).where(t.Journal.subject == f"run:{run.uid}")
            entry = session.scalars(told.order_by(t.Journal.id.desc())).first()
            assert (entry.action, entry.person, entry.project_id) == ("run failed", "conductor", 1)
        assert session.scalars(select(t.Line)).all() == []


def test_what_executes_goes_on_to_its_end(sessions: Sessions, queued: dict[str, int]) -> None:
    taken = take_all(sessions)
    with sessions.begin() as session:
        members.remove_member(session, world.STAFF, "screen", "contributor")
    with sessions.begin() as session:
        assert leases.renew(session, "one", taken) == taken
        leases.release(session, "one", [queued["contributor"]])
    assert take_all(sessions) == set()  # given back to the queue, it is not begun again
    with sessions() as session:
        states = {run.id: run.state for run in session.scalars(select(t.Run))}
    assert states.pop(queued["contributor"]) == "failed"
    assert set(states.values()) == {"starting"}


CAPTURED = {"captured": True}
