"""A project is asked for, and made whole by one approval or not at all."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import world
from sqlalchemy import func, select

from cid_server_ext.core import policy
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.people import requests
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, CidError, Conflict, NotAllowed, NotFound

ANN = Actor("ann")
TERMS = [
    {"key": "Mutant", "type": "choice", "values": ["wild type", "knock-out"]},
    {"key": "Dose", "type": "number", "unit": "mg"},
    {"key": "Staining"},  # the facility has it
]


def wanted(**other: Any) -> requests.Wanted:
    asked: dict[str, Any] = {
        "name": "new-project",
        "team": "new-team",
        "title": "New",
        "limit": 1000,
        "people": {"bob": "annotator"},
        "terms": TERMS,
        "purpose": "to see",
    }
    return requests.Wanted(**asked | other)


def ask(sessions: Sessions, **other: Any) -> str:
    with sessions.begin() as session:
        return requests.ask(session, ANN, wanted(**other)).uid


def counts(sessions: Sessions) -> dict[str, int]:
    tables = (t.Team, t.Project, t.ProjectMember, t.Allocation, t.Dataset, t.Term, t.Journal)
    with sessions() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        }


def test_an_approval_makes_everything_in_one_entry(sessions: Sessions) -> None:
    uid = ask(sessions)
    before = counts(sessions)
    with sessions.begin() as session:
        done = requests.approve(session, world.STAFF, uid, limit=500, leaders=["boss"])
        assert (done.state, done.decided_by) == ("approved", "staff")
    with sessions() as session:
        project = session.scalars(select(t.Project)).one()
        assert (project.name, project.team.name, project.state) == (
            "new-project",
            "new-team",
            "active",
        )
        assert project.allocation.limit == 500
        assert policy.role_in(session, ANN, project) == "manager"
        assert policy.role_in(session, Actor("bob"), project) == "annotator"
        assert policy.role_in(session, Actor("boss"), project) == "manager"
        own = select(t.Term).where(t.Term.project_id == project.id).order_by(t.Term.key)
        assert [(term.key, term.type, term.unit) for term in session.scalars(own)][:2] == [
            ("Dose", "number", "mg"),
            ("Mutant", "choice", ""),
        ]
        values = session.scalars(select(t.Value.text).order_by(t.Value.text)).all()
        assert list(values) == ["knock-out", "wild type"]
        entry = session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()
        assert (entry.action, entry.project_id) == ("approve request", project.id)
        assert {item["table"] for item in entry.rows} >= {
            "request",
            "team",
            "project",
            "allocation",
            "dataset",
            "project_member",
            "term",
            "value",
        }
    assert counts(sessions)["journal"] == before["journal"] + 1


def test_what_cannot_be_made_leaves_nothing_and_the_request_waits(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "taken")
    uid = ask(sessions)
    before = counts(sessions)
    for change in ({"name": "taken"}, {"name": "Not a slug"}, {"leaders": ["\u200b"]}):
        with pytest.raises(CidError), sessions.begin() as session:
            requests.approve(session, world.STAFF, uid, **change)
    assert counts(sessions) == before
    with sessions.begin() as session:
        assert policy.find(session, ANN, t.Request, uid).state == "asked"
        assert requests.approve(session, world.STAFF, uid).state == "approved"


def test_a_request_is_answered_once(sessions: Sessions) -> None:
    uid = ask(sessions)
    with sessions.begin() as session:
        requests.refuse(session, world.STAFF, uid, " no room ")
    with sessions.begin() as session:
        row = policy.find(session, ANN, t.Request, uid)
        assert (row.state, row.reason, row.decided_by) == ("refused", "no room", "staff")
        for again in (
            lambda: requests.approve(session, world.STAFF, uid),
            lambda: requests.refuse(session, world.STAFF, uid, "again"),
            lambda: requests.withdraw(session, ANN, uid),
        ):
            with pytest.raises(Conflict, match="refused already, by staff"):
                again()


def test_of_two_who_approve_at_once_one_makes_the_project(sessions: Sessions) -> None:
    uid = ask(sessions)
    names: list[str] = []

    def approve() -> None:
        try:
            with sessions.begin() as session:
                requests.approve(session, world.STAFF, uid)
            names.append("made")
        except Conflict as error:
            names.append(error.name)

    threads = [threading.Thread(target=approve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == ["Conflict", "Conflict", "Conflict", "made"]
    assert counts(sessions)["project"] == 1


def test_requests_are_seen_by_who_made_them_and_by_staff(sessions: Sessions) -> None:
    uid = ask(sessions)
    other = Actor("other")
    with sessions.begin() as session:
        listed = {
            actor: requests.listing(session, actor, state=None, limit=10, after=None)
            for actor in (ANN, other, world.STAFF, Actor("ann", run_id=1))
        }
        assert [len(rows) for rows in listed.values()] == [1, 0, 1, 0]
        with pytest.raises(NotFound, match="no request"):
            policy.find(session, other, t.Request, uid)
        with pytest.raises(NotFound):
            requests.withdraw(session, other, uid)
        with pytest.raises(NotAllowed, match="staff refuses"):
            requests.withdraw(session, world.STAFF, uid)
        for actor in (ANN, Actor("staff", staff=True, writes=False)):
            with pytest.raises(NotAllowed):
                requests.approve(session, actor, uid)
        assert requests.withdraw(session, ANN, uid).state == "withdrawn"


def test_a_guest_a_run_and_a_token_that_reads_ask_for_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for actor in (
            Actor("ann", guest=True),
            Actor("ann", writes=False),
            Actor("ann", run_id=1),
        ):
            with pytest.raises(NotAllowed):
                requests.ask(session, actor, wanted())


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Upper"},
        {"team": "../x"},
        {"title": "a\nb"},
        {"title": "x" * 201},
        {"limit": -1},
        {"limit": 2**60},
        {"people": {"ann\u200b": "viewer"}},
        {"people": {"ann": "boss"}},
        {"purpose": "x" * 4001},
        {"purpose": "\0"},
        {"terms": [{"key": "a/b"}]},
        {"terms": [{"key": "Dose", "type": "number", "unit": "furlongs per nothing"}]},
    ],
    ids=lambda other: str(other)[:30].encode("ascii", "replace").decode(),
)
def test_what_is_wrong_is_said_when_it_is_asked(sessions: Sessions, other: dict[str, Any]) -> None:
    with pytest.raises(BadInput), sessions.begin() as session:
        requests.ask(session, ANN, wanted(**other))


def test_nobody_has_very_many_requests_waiting(sessions: Sessions) -> None:
    for _ in range(requests.OPEN_AT_ONCE):
        ask(sessions)
    with pytest.raises(Conflict, match="withdraw one"):
        ask(sessions)


def test_who_asked_and_who_answers_are_told_what_is_new(sessions: Sessions) -> None:
    first, *_ = [ask(sessions, name=f"new-{number}") for number in range(3)]
    with sessions.begin() as session:
        requests.withdraw(session, ANN, first)
    with sessions() as session:
        waiting, mine = requests.news(session, ANN)
        assert (waiting, [row.wanted["name"] for row in mine]) == (0, ["new-2", "new-1"])
        assert requests.news(session, world.STAFF) == (2, [])
        assert requests.news(session, Actor("other")) == (0, [])
        assert requests.news(session, Actor("ann", run_id=1)) == (0, [])
