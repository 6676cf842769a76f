"""People by the client, on the real service: requests, roles, teams, leaving."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from processes import STAFF, Service

import cid_client as cid
from cid_client.people import members
from cid_client.wire.environment import Access
from cid_client.wire.session import Session

PAGE = Path(__file__).parents[2] / "docs" / "user" / "projects.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

Speak = Callable[[str], cid.Catalog]


class AsStaff(httpx.HTTPTransport):
    """Says that facility staff asks."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.headers.pop("Authorization", None):
            request.headers["X-Test-User"] = json.dumps(STAFF)
        return super().handle_request(request)


@pytest.fixture
def staff(service: Service) -> Iterator[cid.Catalog]:
    catalog = cid.Catalog(Session(Access(service.url, "x"), transport=AsStaff()))
    yield catalog
    catalog.close()


def test_a_request_becomes_a_project_with_all_that_it_needs(speak: Speak, staff: Any) -> None:
    ida = speak("ida")
    asked = ida.request_project(
        "ida-wounds",
        "lab-ida",
        limit="2 TB",
        title="Wounds",
        members={"udo": "annotator"},
        terms=["Passage note", {"key": "Ida dose", "type": "number", "unit": "mg"}],
        purpose="to see",
    )
    assert (asked.state, asked.limit, asked.person) == ("asked", 2 * 10**12, "ida")
    assert [one.uid for one in ida.requests("asked")] == [asked.uid]
    assert "2.0 TB" in ida.requests()._repr_html_()
    [waiting] = [one for one in staff.requests("asked") if one == asked]
    waiting.approve(limit="500 GB", leaders=["pia"], terms=["Ida dose"])
    assert (waiting.state, waiting.project) == ("approved", "ida-wounds")
    assert asked.refresh().project == "ida-wounds"
    project = ida.project("ida-wounds")
    assert (project.role, project.allocation.limit) == ("manager", 500 * 10**9)
    assert project.members.roles == {"ida": "manager", "udo": "annotator"}
    assert [one.key for one in project.terms() if one.key in ("Ida dose", "Passage note")] == [
        "Ida dose"
    ]
    with pytest.raises(cid.Conflict, match="approved already"):
        asked.withdraw()
    other = ida.request_project("ida-two", "lab-ida", limit="1 TB")
    staff.request(other.uid).refuse("Please use ida-wounds.")
    assert other.refresh().reason == "Please use ida-wounds."
    third = ida.request_project("ida-three", "lab-ida", limit=10)
    assert third.withdraw().state == "withdrawn"
    assert len(ida.requests(limit=2)) == 2
    with pytest.raises(cid.BadInput, match=r"^limit '2 Tx'"):
        ida.request_project("ida-four", "lab-ida", limit="2 Tx")


def make(service: Service, name: str, **members: str) -> None:
    body = {"name": name, "team": f"team-{name}", "limit": 10**9, "members": members}
    body |= {"leaders": [f"lead-{name}"]}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201


def test_members_come_change_and_go_and_each_step_is_taken_back(
    service: Service, speak: Speak
) -> None:
    make(service, "people-a", mia="manager")
    project = speak("mia").project("people-a")
    added = project.add_member("vic", "viewer", until="2099-06-30")
    [vic] = [one for one in project.members if one.person == "vic"]
    assert vic.ends_at == dt.datetime(2099, 6, 30, 23, 59, 59).astimezone()
    assert not vic.ended
    assert "2099-06-" in project.members._repr_html_()
    added.undo()
    assert project.refresh().members.roles == {"mia": "manager"}
    project.add_member("vic", "contributor", dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert [one.ended for one in project.members] == [False, True]
    assert project.members.roles == {"mia": "manager"}
    project.remove_member("vic").undo()
    assert [one.person for one in project.refresh().members] == ["mia", "vic"]
    assert project.rename("People").title == "People"
    with pytest.raises(cid.BadInput, match=r"^role 'boss'"):
        project.add_member("vic", "boss")
    with pytest.raises(cid.NotAllowed):
        speak("mia").project("people-a").close()


def test_staff_closes_a_project_and_opens_it_again(
    service: Service, speak: Speak, staff: Any
) -> None:
    make(service, "people-b", mia="manager")
    project = staff.project("people-b").close()
    assert speak("mia").project("people-b").state == "closed"
    note = {"about": "project:people-b", "text": "x"}
    assert service.ask("POST", "notes", "mia", json=note).json()["error"] == "Conflict"
    assert project.reopen().state == "active"


def test_leaders_fill_their_team(service: Service, speak: Speak, staff: Any) -> None:
    make(service, "people-c", mia="viewer")
    leader = speak("lead-people-c")
    [team] = leader.teams()
    assert (team.name, team.projects, team.members.roles) == (
        "team-people-c",
        ["people-c"],
        {"lead-people-c": "leader"},
    )
    step = team.add_member("new one")
    assert team.members.roles == {"lead-people-c": "leader", "new one": "member"}
    assert speak("new one").team("team-people-c") == team
    with pytest.raises(cid.NotAllowed, match="leads a team"):
        team.add_member("new one", "leader")
    with pytest.raises(cid.NotFound):
        step.undo()  # what a team's history holds is staff's
    team.remove_member("new one")
    changed = staff.team("team-people-c").change(title="C", address="1 Main Street")
    assert (changed.title, changed.invoiced_to) == ("C", "1 Main Street")
    with pytest.raises(cid.NotFound):
        speak("mia").team("team-people-c")


def test_what_only_a_leaver_reaches_is_handed_over_and_back(
    service: Service, speak: Speak, staff: Any
) -> None:
    make(service, "people-d", lea="manager")
    staff.team("team-people-d").remove_member("lead-people-d")
    assert speak("lea").belongings("lea").only_manager == ["people-d"]
    found = staff.belongings("lea")
    assert (found.only_reader, found.records) == (["people-d"], 0)
    assert "only manager of" in found._repr_html_()
    done = staff.hand_over("lea", to="kim", end=True)
    assert (done.projects, done.ended) == (["people-d"], 1)
    assert speak("kim").project("people-d").role == "manager"
    with pytest.raises(cid.NotFound):
        speak("lea").project("people-d")
    done.undo()
    assert speak("lea").project("people-d").role == "manager"
    with pytest.raises(cid.NotFound):
        speak("kim").project("people-d")
    with pytest.raises(cid.BadInput, match="nothing to undo"):
        staff.hand_over("nobody-here", to="kim").undo()
    with pytest.raises(cid.NotAllowed):
        speak("kim").belongings("lea")


def test_what_the_page_shows_works(
    service: Service, speak: Speak, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(service, "scratch", ana="manager")
    monkeypatch.setattr(cid, "connect", lambda: speak("ana"))
    kernel: dict[str, Any] = {}
    for snippet in SNIPPETS:
        exec(compile(snippet, PAGE.name, "exec"), kernel)
    assert kernel["request"].state == "withdrawn"
    roles = kernel["project"].refresh().members.roles
    assert roles == {"ana": "manager", "bob": "contributor", "visitor": "viewer"}


@pytest.mark.parametrize("until", ["soon", "2027-13-01", "30.6.2027", "2027-06-3", ""])
def test_an_end_that_is_no_day_is_named(until: str) -> None:
    with pytest.raises(cid.BadInput, match=rf"^until '{until}'"):
        members.ending(until)


def test_a_day_ends_where_its_person_is() -> None:
    here = dt.datetime(2027, 6, 30, 23, 59, 59).astimezone()
    for until in ("2027-06-30", dt.date(2027, 6, 30), here, "2027-06-30T23:59:59"):
        told = members.ending(until)
        assert told is not None
        assert dt.datetime.fromisoformat(told) == here
        assert told.endswith("+00:00")
    assert members.ending(None) is None
