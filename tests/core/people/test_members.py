"""Who belongs to a project: names are exact, every change is in its history."""

from __future__ import annotations

import datetime as dt

import pytest
import world
from sqlalchemy import select

from cid_server_ext.core import policy
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import projects
from cid_server_ext.core.people import members, teams
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, NotAllowed, NotFound

MANAGER = Actor("manager")
LOOK_ALIKE = {
    "another spelling of é": "rene\u0301",
    "zero width space": "ann\u200b",
    "soft hyphen": "an\u00adn",
    "left to right mark": "\u200eann",
    "filler": "ann\u3164",
    "variation selector": "ann\ufe0f",
    "no-break space": "ann\u00a0smith",
    "space at the end": "ann ",
    "line end": "ann\n",
    "nul": "ann\0",
    "slash": "team/ann",
    "nothing": "",
    "very long": "a" * 121,
}


@pytest.mark.parametrize("name", LOOK_ALIKE.values(), ids=LOOK_ALIKE)
def test_a_name_that_looks_like_another_is_refused(sessions: Sessions, name: str) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        with pytest.raises(BadInput, match="person"):
            members.put_member(session, MANAGER, "screen", name, "viewer")
        with pytest.raises(BadInput, match="person"):
            teams.put_member(session, world.STAFF, "lab-screen", name, "member")


def test_another_case_is_another_account(sessions: Sessions) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen")
        for name in ("ren\u00e9", "Zo\u00eb", "\u674e\u660e", "o'brien@example.org"):
            members.put_member(session, MANAGER, "screen", name, "viewer")
            session.flush()
            assert policy.role_in(session, Actor(name), project) == "viewer"
        for name in ("Ren\u00e9", "zo\u00eb", "Viewer", "VIEWER", "viewer "):
            assert policy.role_in(session, Actor(name), project) is None
            with pytest.raises(NotFound):
                policy.find(session, Actor(name), t.Project, "screen")


def test_giving_and_ending_a_role_are_in_the_projects_history(sessions: Sessions) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen")
    with sessions.begin() as session:
        members.put_member(session, MANAGER, "screen", "newcomer", "viewer")
    with sessions.begin() as session:
        members.remove_member(session, MANAGER, "screen", "newcomer")
    with sessions() as session:
        entries = session.scalars(
            select(t.Journal).where(t.Journal.project_id == project.id).order_by(t.Journal.id)
        ).all()[-2:]
        told = [(e.person, e.action, e.detail["person"], len(e.rows)) for e in entries]
        assert told == [
            ("manager", "put member", "newcomer", 1),
            ("manager", "remove member", "newcomer", 1),
        ]


def test_a_leader_adds_members_and_staff_makes_leaders(sessions: Sessions) -> None:
    leader = Actor("leader")
    with sessions.begin() as session:
        world.make_project(session, "screen")
        teams.put_member(session, leader, "lab-screen", "newcomer", "member")
        for change in (
            lambda: teams.put_member(session, leader, "lab-screen", "newcomer", "leader"),
            lambda: teams.put_member(session, leader, "lab-screen", "leader", "member"),
            lambda: teams.remove_member(session, leader, "lab-screen", "leader"),
        ):
            with pytest.raises(NotAllowed, match="staff"):
                change()
        teams.put_member(session, world.STAFF, "lab-screen", "newcomer", "leader")
        teams.remove_member(session, world.STAFF, "lab-screen", "leader")
        session.flush()
        assert [team.name for team in teams.listing(session, Actor("newcomer"))] == ["lab-screen"]
        assert teams.listing(session, leader) == []


def test_members_of_a_team_see_it_and_do_not_change_it(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        mate = Actor("teammate")
        assert policy.find(session, mate, t.Team, "lab-screen")
        assert teams.projects_of(session, mate, [1]) == {1: []}
        with pytest.raises(NotAllowed, match="leaders"):
            teams.put_member(session, mate, "lab-screen", "newcomer", "member")
        for hidden in ("lab-screen", "absent"):
            with pytest.raises(NotFound, match=f"no team '{hidden}'"):
                policy.find(session, Actor("viewer"), t.Team, hidden)


def test_a_change_of_a_team_says_what_is_wrong(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        with pytest.raises(NotAllowed):
            teams.change(session, Actor("leader"), "lab-screen", title="x")
        with pytest.raises(BadInput, match="tariff"):
            teams.change(session, world.STAFF, "lab-screen", tariff="free")
        with pytest.raises(BadInput, match="address"):
            teams.change(session, world.STAFF, "lab-screen", address="x\0")
        row = teams.change(session, world.STAFF, "lab-screen", tariff="academic", address="1\n2")
        assert (row.tariff, row.address) == ("academic", "1\n2")


def test_a_leader_of_a_new_project_whose_time_was_up_leads_again(sessions: Sessions) -> None:
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    with sessions.begin() as session:
        world.make_project(session, "screen")
        teams.put_member(session, world.STAFF, "lab-screen", "boss", "leader", past)
    with sessions.begin() as session:
        new = projects.Wanted("new", "lab-screen", "", 10, {}, leaders=["boss"])
        projects.create(session, world.STAFF, new)
        assert policy.find(session, Actor("boss"), t.Project, "new").name == "new"
