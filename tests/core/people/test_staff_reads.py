"""What staff reads of other people's projects is in the journal, once in an hour."""

from __future__ import annotations

import datetime as dt

import world
from sqlalchemy import select, update

from cid_server_ext.core import policy
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.people import members, staff_reads
from cid_server_ext.core.search import complete, facets, find
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, reading


def read_all(sessions: Sessions, actor: Actor = world.STAFF) -> list[str]:
    """Read every image as a request does; return the names that were noted."""
    with reading(sessions) as session:
        staff_reads.watch(session)
        session.scalars(policy.visible(actor, t.Image)).all()
        found = staff_reads.unnoted(session, actor)
    if found:
        with sessions.begin() as session:
            staff_reads.note(session, actor, "GET images", found)
    return [name for _, name in found]


def entries(sessions: Sessions) -> list[t.Journal]:
    with sessions() as session:
        noted = select(t.Journal).where(t.Journal.action == "staff read").order_by(t.Journal.id)
        return list(session.scalars(noted))


def test_one_entry_names_all_projects_that_were_read(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make(session, "one")
        world.make(session, "two")
        world.make_project(session, "empty")
    assert read_all(sessions) == ["one", "two"]
    [entry] = entries(sessions)
    assert (entry.person, entry.project_id) == ("staff", None)
    assert entry.detail == {"what": "GET images", "projects": ["one", "two"]}


def test_an_entry_about_one_project_is_in_its_history(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make(session, "one")
        project = policy.find(session, Actor("viewer"), t.Project, "one")
    read_all(sessions)
    assert [entry.project_id for entry in entries(sessions)] == [project.id]


def test_a_project_is_noted_once_in_an_hour_for_each_person(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make(session, "one")
    assert read_all(sessions) == ["one"]
    assert read_all(sessions) == []
    assert read_all(sessions, Actor("other-staff", staff=True)) == ["one"]
    with sessions.begin() as session:
        session.execute(
            update(t.Journal).values(at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=2))
        )
    assert read_all(sessions) == ["one"]


def test_a_project_of_their_own_is_not_noted_until_their_time_there_ends(
    sessions: Sessions,
) -> None:
    manager = Actor("manager")
    with sessions.begin() as session:
        world.make(session, "one")
        members.put_member(session, manager, "one", "staff", "viewer")
    assert read_all(sessions) == []
    with sessions.begin() as session:
        past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
        members.put_member(session, manager, "one", "staff", "viewer", past)
    assert read_all(sessions) == ["one"]


def test_sums_over_all_projects_read_all_of_them(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make(session, "one")
        world.make_project(session, "two")
    asked = find.Asked()
    for ask in (
        lambda session, actor: find.count(session, actor, asked),
        lambda session, actor: facets.facets(session, actor, asked, ["Objective"]),
        lambda session, actor: facets.top(session, actor, 5),
        lambda session, actor: complete.complete(session, actor, "Objective:"),
    ):
        with reading(sessions) as session:
            ask(session, world.STAFF)  # not watched: nothing is kept
            assert staff_reads.unnoted(session, world.STAFF) == []
            staff_reads.watch(session)
            ask(session, world.STAFF)
            assert [name for _, name in staff_reads.unnoted(session, world.STAFF)] == ["one", "two"]
    with reading(sessions) as session:
        staff_reads.watch(session)
        find.count(session, world.STAFF, find.Asked(project="two"))
        assert [name for _, name in staff_reads.unnoted(session, world.STAFF)] == ["two"]
