"""Somebody leaves: what only they reach is listed, handed over in one step, and that is undone."""

from __future__ import annotations

import datetime as dt

import pytest
import standing
import world
from sqlalchemy import select

from cid_server_ext.core import policy
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, projects
from cid_server_ext.core.life import undo
from cid_server_ext.core.people import belongings, leaving, members, requests, staff_reads, teams
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, reading
from cid_server_ext.errors import BadInput, NotAllowed

PAST = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)


@pytest.fixture
def left(sessions: Sessions) -> Sessions:
    """Ann is alone in "alone", the only manager of "shared", one of many in "screen"."""
    with sessions.begin() as session:
        world.make(session, "screen")
        members.put_member(session, world.STAFF, "screen", "ann", "contributor")
        for name, people in (
            ("alone", {"ann": "contributor"}),
            ("shared", {"ann": "manager", "bob": "viewer"}),
            ("led", {}),
        ):
            wanted = projects.Wanted(name, f"team-{name}", name, 10**9, people)
            projects.create(session, world.STAFF, wanted)
        members.put_member(session, world.STAFF, "alone", "late", "manager", PAST)
        teams.put_member(session, world.STAFF, "team-led", "ann", "leader")
        teams.put_member(session, world.STAFF, "team-led", "late", "leader", PAST)
        session.flush()
        ann = Actor("ann")
        datasets.create(session, ann, "alone", "mine", query="cells")
        session.add(t.Note(project_id=2, person="ann", text="see below"))
    return sessions


def memberships(sessions: Sessions) -> list[tuple[object, ...]]:
    with sessions() as session:
        people = session.scalars(select(t.ProjectMember)).all()
        places = session.scalars(select(t.TeamMember)).all()
        return sorted(
            [(m.project_id, m.person, m.role, str(m.ends_at)) for m in people]
            + [(m.team_id, m.person, m.role, str(m.ends_at)) for m in places]
        )


def test_what_only_they_reach_is_listed(left: Sessions) -> None:
    with left.begin() as session:
        found = belongings.of(session, world.STAFF, "ann")
    assert [(p.name, p.role) for p in found.projects] == [
        ("alone", "contributor"),
        ("screen", "contributor"),
        ("shared", "manager"),
    ]
    assert found.only_reader == ["alone", "led"]
    assert found.only_manager == ["led", "shared"]
    assert found.only_leader == ["team-led"]
    assert [(d.project, d.text) for d in found.live_datasets.newest] == [("alone", "mine")]
    assert [note.text for note in found.notes.newest] == ["see below"]
    assert (found.records, found.nbytes, found.runs.total) == (0, 0, 0)


def test_what_is_under_way_and_was_made_is_counted(left: Sessions) -> None:
    with left.begin() as session:
        found = belongings.of(session, world.STAFF, "contributor")
    assert (found.deposits.total, found.runs.total) == (1, 1)
    assert [(run.project, run.text) for run in found.runs.newest] == [("screen", "running")]
    assert found.records == 4
    assert found.nbytes == 2 * (500 + 1000)


def test_it_is_seen_by_the_person_and_by_staff(left: Sessions) -> None:
    with left.begin() as session:
        members.remove_member(session, world.STAFF, "screen", "contributor")
        session.flush()
        mine = belongings.of(session, Actor("contributor"), "contributor")
        assert (mine.records, mine.runs.total, mine.projects) == (0, 0, [])
        for actor in (Actor("bob"), Actor("ann", run_id=1), Actor("Ann")):
            with pytest.raises(NotAllowed):
                belongings.of(session, actor, "ann")


def test_somebody_else_gets_it_in_one_step_and_it_can_be_undone(left: Sessions) -> None:
    before = memberships(left)
    with left.begin() as session:
        done = leaving.hand_over(session, world.STAFF, "ann", "bob", end=True)
    assert (done.projects, done.teams, done.ended) == (["alone", "led", "shared"], ["team-led"], 4)
    with left.begin() as session:
        bob, ann = Actor("bob"), Actor("ann")
        reached = select(t.Project.name).where(policy.reachable(bob, "viewer")).order_by("name")
        assert session.scalars(reached).all() == ["alone", "led", "shared"]
        managed = select(t.Project.name).where(policy.reachable(bob, "manager")).order_by("name")
        assert session.scalars(managed).all() == ["led", "shared"]
        entry = session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()
        assert (entry.action, entry.subject) == ("hand over", "person:ann")
        ended = session.scalars(select(t.ProjectMember).where(t.ProjectMember.person == "ann"))
        assert all(member.ends_at is not None for member in ended)
        assert belongings.of(session, world.STAFF, "ann").only_reader == []
        assert belongings.of(session, ann, "ann").live_datasets.total == 0
        note = session.scalars(select(t.Note)).one()
        assert note.person == "ann"
    with left.begin() as session:
        undo.undo(session, world.STAFF, entry.id)
    assert memberships(left) == before


def test_without_end_the_leaver_stays(left: Sessions) -> None:
    with left.begin() as session:
        leaving.hand_over(session, world.STAFF, "ann", "bob", end=False)
    with left.begin() as session:
        project = session.scalars(select(t.Project).where(t.Project.name == "shared")).one()
        assert policy.role_in(session, Actor("ann"), project) == "manager"
        assert policy.role_in(session, Actor("bob"), project) == "manager"
        again = leaving.hand_over(session, world.STAFF, "ann", "eve", end=False)
        assert (again.projects, again.teams, again.ended) == ([], [], 0)


def test_who_has_a_higher_role_that_lasts_keeps_it_for_good(left: Sessions) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    with left.begin() as session:  # ann manages it as its team's leader
        members.put_member(session, world.STAFF, "led", "ann", "viewer")
        members.put_member(session, world.STAFF, "led", "bob", "contributor", soon)
        leaving.hand_over(session, world.STAFF, "ann", "bob", end=True)
    with left() as session:
        row = session.get_one(t.ProjectMember, (4, "bob"))
        assert (row.role, row.ends_at) == ("contributor", None)


def test_a_role_that_had_ended_is_not_given_back(left: Sessions) -> None:
    with left.begin() as session:  # ann led it as its team's leader too; late once managed it
        members.put_member(session, world.STAFF, "led", "ann", "manager", PAST)
        leaving.hand_over(session, world.STAFF, "ann", "late", end=True)
    with left() as session:
        alone = session.get_one(t.ProjectMember, (2, "late"))
        assert (alone.role, alone.ends_at) == ("contributor", None)
        assert session.get(t.ProjectMember, (4, "late")) is None  # the team is given to him
        led = session.get_one(t.Project, 4)
        assert (led.name, policy.role_in(session, Actor("late"), led)) == ("led", "manager")


def test_requests_of_who_leaves_are_withdrawn_and_come_back_with_an_undo(left: Sessions) -> None:
    def states() -> dict[str, str]:
        with left() as session:
            return {row.person: row.state for row in session.scalars(select(t.Request))}

    with left.begin() as session:
        for person in ("ann", "bob"):
            asked = requests.Wanted(f"{person}-new", "lab", "New", 10, {}, [], "to see")
            requests.ask(session, Actor(person), asked)
    with left.begin() as session:
        assert leaving.hand_over(session, world.STAFF, "ann", "eve", end=False).withdrawn == 0
    before = states()
    with left.begin() as session:
        assert leaving.hand_over(session, world.STAFF, "ann", "eve", end=True).withdrawn == 1
    assert states() == before | {"ann": "withdrawn"}
    with left.begin() as session:
        newest = session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()
        undo.undo(session, world.STAFF, newest.id)
    assert states() == before
    assert before["ann"] == "asked"


def test_what_runs_by_itself_goes_on_in_anothers_name_or_pauses_and_comes_back(
    sessions: Sessions,
) -> None:
    names = ("with-eve", "without")
    for name in names:
        standing.make(sessions, name)
        standing.subscribe(sessions, name)
    with sessions.begin() as session:
        members.put_member(session, world.STAFF, "with-eve", "eve", "contributor")

    def stand() -> list[tuple[str, str, str | None]]:
        with sessions() as session:
            rows = session.scalars(select(t.Subscription).order_by(t.Subscription.id))
            return [(row.person, row.state, row.cause) for row in rows]

    who, before = "contributor", stand()
    with sessions.begin() as session:
        found = belongings.of(session, world.STAFF, who).subscriptions
        assert found.total == 2
        listed = {(one.project, one.text) for one in found.newest}
        assert listed == {(name, "count-things on new stacks") for name in names}
        done = leaving.hand_over(session, world.STAFF, who, "eve", end=False)
        assert (done.subscriptions, done.paused) == (0, 0)  # whoever stays goes on
    assert stand() == before
    with sessions.begin() as session:
        done = leaving.hand_over(session, world.STAFF, who, "eve", end=True)
        assert (done.subscriptions, done.paused) == (1, 1)
    assert stand() == [("eve", "active", None), (who, "paused", "right")]
    with sessions.begin() as session:
        for name in names:
            standing.arrive(session, name, ["stack 1"], who=Actor("manager"))
    assert standing.look(sessions) == 1
    with sessions() as session:
        assert session.scalars(select(t.Run.person)).all() == ["eve"]
        (entry,) = session.scalars(select(t.Journal.id).where(t.Journal.action == "hand over"))
        told = session.scalars(select(t.Journal.action).where(t.Journal.project_id.is_not(None)))
        assert {"hand over subscription", "pause subscription"} <= set(told)
    with sessions.begin() as session:
        undo.undo(session, world.STAFF, entry)
    assert stand() == before
    assert standing.look(sessions) == 1
    assert standing.run_on(sessions) == {"stack 1": 2}


def test_handing_over_is_for_staff_and_to_somebody_else(left: Sessions) -> None:
    with left.begin() as session:
        with pytest.raises(NotAllowed):
            leaving.hand_over(session, Actor("ann"), "ann", "bob", end=False)
        for to in ("ann", "bob\u200b", ""):
            with pytest.raises(BadInput):
                leaving.hand_over(session, world.STAFF, "ann", to, end=False)


def test_staff_that_reads_what_a_person_wrote_is_noted(left: Sessions) -> None:
    with reading(left) as session:
        staff_reads.watch(session)
        found = belongings.of(session, world.STAFF, "ann")
        assert [note.text for note in found.notes.newest] == ["see below"]
        noted = [read.name for read in staff_reads.unnoted(session, world.STAFF)]
    assert noted == sorted({thing.project for thing in found.notes.newest} | {"alone"})
