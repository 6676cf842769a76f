"""Whatever ends a right, the journal says whose tickets are no longer good."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core import journal, policy
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.people import members, revocations, teams
from cid_server_ext.core.runs import runs, states
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions

MANAGER = Actor("manager")


@pytest.fixture
def lost(sessions: Sessions) -> Callable[[Callable[[Session], object]], revocations.Lost]:
    """Return what one change ends, in a catalog with one project."""
    with sessions.begin() as session:
        world.make(session, "screen")

    def lost(change: Callable[[Session], object]) -> revocations.Lost:
        with sessions.begin() as session:
            before = revocations.newest(session)
        with sessions.begin() as session:
            change(session)
        with sessions() as session:
            found = revocations.since(session, before)
            assert found is not None
            assert revocations.since(session, found.upto) is None
            assert found.upto == revocations.newest(session)
        return found

    return lost


def only_image(session: Session) -> t.Image:
    return session.scalars(select(t.Image).order_by(t.Image.id)).first()


def test_a_new_right_ends_none(lost) -> None:
    found = lost(lambda s: members.put_member(s, MANAGER, "screen", "newcomer", "viewer"))
    assert not found.people | found.prefixes
    assert not found.runs


def test_a_member_lowered_or_removed_loses_tickets(lost) -> None:
    found = lost(lambda s: members.put_member(s, MANAGER, "screen", "contributor", "viewer"))
    assert found.people == {"contributor"}
    found = lost(lambda s: members.remove_member(s, MANAGER, "screen", "viewer"))
    assert found.people == {"viewer"}
    found = lost(lambda s: teams.remove_member(s, world.STAFF, "lab-screen", "leader"))
    assert found.people == {"leader"}


def test_a_run_that_ends_or_is_queued_again_loses_tickets(lost) -> None:
    numbers: list[int] = []

    def again(session: Session) -> None:
        numbers.append(session.scalars(select(t.Run.id)).one())
        states.move(session, numbers[0], "queued")

    assert lost(again).runs == set(numbers)

    def cancel(session: Session) -> None:
        uid = session.scalars(select(t.Run.uid)).one()
        runs.cancel(session, MANAGER, uid)

    assert lost(cancel).runs == set(numbers)


def test_a_link_taken_away_ends_tickets_for_the_image_and_its_original(lost) -> None:
    def link(session: Session) -> None:
        other = world.make_project(session, "other")
        root = session.scalars(select(t.Dataset).where(t.Dataset.project_id == other.id)).one()
        image = only_image(session)
        session.add(
            t.Link(dataset_id=root.id, record_id=image.id, project_id=other.id, linked_by="x")
        )

    assert lost(link).records == set()

    def unlink(session: Session) -> None:
        session.delete(session.scalars(select(t.Link)).one())
        journal.record(session, "x", "unlink", "test")

    assert lost(unlink).prefixes == {"images/x", "files/x"}


def test_what_is_thrown_away_ends_tickets_and_a_new_name_does_not(lost) -> None:
    def rename(session: Session) -> None:
        only_image(session).name = "new"
        journal.record(session, "x", "rename", "test")

    assert lost(rename).records == set()

    def trash(session: Session) -> None:
        image = only_image(session)
        step = t.Trash(
            project_id=image.project_id,
            person="x",
            what="x",
            nbytes=0,
            purge_at=image.created_at,
        )
        session.add(step)
        session.flush()
        image.trash_id = step.id
        journal.record(session, "x", "trash", "test")

    assert lost(trash).prefixes == {"images/x", "files/x"}


def test_very_many_records_are_everybodys_loss(lost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocations, "MANY", 0)

    def move(session: Session) -> None:
        other = world.make_project(session, "other")
        only_image(session).project_id = other.id
        journal.record(session, "x", "move", "test")

    found = lost(move)
    assert found.everybody
    assert not found.prefixes


def test_policy_and_revocation_agree_who_lost_what(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make(session, "screen")
        before = revocations.newest(session)
    with sessions.begin() as session:
        members.remove_member(session, MANAGER, "screen", "viewer")
    with sessions() as session:
        [person] = revocations.since(session, before).people
        assert session.scalars(policy.projects(Actor(person))).all() == []
