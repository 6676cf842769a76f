from __future__ import annotations

import datetime as dt

import pytest
import world
from sqlalchemy import func, select

from cid_server_ext.core import policy
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.people import members
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, NotAllowed, NotFound


def test_a_role_includes_the_ones_before_it(sessions: Sessions) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen")
        assert policy.role_in(session, Actor("annotator"), project) == "annotator"
        assert policy.role_in(session, Actor("leader"), project) == "manager"
        assert policy.role_in(session, Actor("stranger"), project) is None


def test_a_membership_ends_at_its_date(sessions: Sessions) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen")
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
        manager = Actor("manager")
        members.put_member(session, manager, "screen", "visitor", "viewer", soon)
        session.flush()
        assert policy.role_in(session, Actor("visitor"), project) == "viewer"
        past = soon - dt.timedelta(hours=2)
        members.put_member(session, manager, "screen", "visitor", "viewer", past)
        session.flush()
        assert policy.role_in(session, Actor("visitor"), project) is None


def test_a_guest_never_manages(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        guest = Actor("guest", guest=True)
        with pytest.raises(NotAllowed, match="needs the role manager"):
            policy.require(session, guest, "manager", t.Project, "screen")
        assert policy.require(session, guest, "contributor", t.Project, "screen")


def test_staff_reading_a_project_it_is_no_member_of_is_logged(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        policy.find(session, world.STAFF, t.Project, "screen")
    with sessions.begin() as session:
        row = session.scalar(select(t.Journal).where(t.Journal.action == "staff read"))
        assert (row.person, row.subject) == ("staff", "project:screen")


def test_hidden_and_absent_raise_the_same(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        for name in ("screen", "absent"):
            with pytest.raises(NotFound, match=f"no project '{name}' that you can see"):
                policy.find(session, Actor("stranger"), t.Project, name)


def test_an_unknown_role_is_refused_by_name(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        with pytest.raises(BadInput, match="one of viewer, annotator"):
            members.put_member(session, Actor("manager"), "screen", "x", "boss")


def test_every_change_leaves_a_journal_row_and_a_failed_one_none(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make(session, "screen")
        before = session.scalar(select(func.count()).select_from(t.Journal))
    assert before > 5

    def two_changes() -> None:
        with sessions.begin() as session:
            members.put_member(session, Actor("manager"), "screen", "good", "viewer")
            members.put_member(session, Actor("manager"), "screen", "bad", "boss")

    with pytest.raises(BadInput):
        two_changes()
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(t.Journal)) == before
        assert session.get(t.ProjectMember, (1, "good")) is None
