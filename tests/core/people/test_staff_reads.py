"""What staff reads of other people's projects is in the journal, once in an hour."""

from __future__ import annotations

import datetime as dt

import pytest
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
    return [read.name for read in found]


def entries(sessions: Sessions) -> list[t.Journal]:
    with sessions() as session:
        noted = select(t.Journal).where(t.Journal.action == "staff read").order_by(t.Journal.id)
        return list(session.scalars(noted))


def test_each_project_that_was_read_has_it_in_its_own_history(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make(session, "one")
        world.make(session, "two")
        world.make_project(session, "empty")
        ids = dict(session.execute(select(t.Project.name, t.Project.id)).all())
    assert read_all(sessions) == ["one", "two"]
    noted = entries(sessions)
    assert [(entry.person, entry.project_id) for entry in noted] == [
        ("staff", ids["one"]),
        ("staff", ids["two"]),
    ]
    assert [entry.detail for entry in noted] == [
        {"what": "GET images", "projects": ["one"]},
        {"what": "GET images", "projects": ["two"]},
    ]


def test_of_very_many_projects_one_entry_names_the_rest(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff_reads, "ENTRIES", 1)
    with sessions.begin() as session:
        for name in ("one", "three", "two"):
            world.make(session, name)
        first = policy.find(session, Actor("viewer"), t.Project, "one").id
    assert read_all(sessions) == ["one", "three", "two"]
    own, rest = entries(sessions)
    assert (own.project_id, own.detail["projects"]) == (first, ["one"])
    assert (rest.project_id, rest.detail["projects"]) == (None, ["three", "two"])
    assert read_all(sessions) == []


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
            assert [read.name for read in staff_reads.unnoted(session, world.STAFF)] == [
                "one",
                "two",
            ]
    with reading(sessions) as session:
        staff_reads.watch(session)
        find.count(session, world.STAFF, find.Asked(project="two"))
        assert [read.name for read in staff_reads.unnoted(session, world.STAFF)] == ["two"]


def test_sums_over_a_project_hide_no_reading_of_it(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make(session, "one")
    with sessions.begin() as session:
        staff_reads.watch(session)
        facets.top(session, world.STAFF, 5)
        counted = staff_reads.unnoted(session, world.STAFF)
        staff_reads.note(session, world.STAFF, "GET search/top", counted)
    assert entries(sessions)[0].detail == {
        "what": "GET search/top",
        "projects": [],
        "counted": ["one"],
    }
    with reading(sessions) as session:
        staff_reads.watch(session)
        facets.top(session, world.STAFF, 5)
        assert staff_reads.unnoted(session, world.STAFF) == []
    assert read_all(sessions) == ["one"]
