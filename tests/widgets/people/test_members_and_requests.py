"""Members, requests and leaving: what the widgets hold and ask."""

from __future__ import annotations

from typing import Any

import pretend_people
import pytest
from pretend import Refused
from pretend_people import GB, People
from stage import Wire, heard

from cid_widgets import Leaving, Members, ProjectRequest, Requests

pytestmark = pytest.mark.usefixtures("bundle")


@pytest.fixture
def people() -> People:
    return pretend_people.filled()


def say(widget: Any, ask: str, **rest: Any) -> None:
    heard(widget, method="custom", content={"ask": ask, **rest})


def test_members_come_with_who_gave_the_role_where_that_is_known(people: People) -> None:
    widget = Members("demo", catalog=people)
    assert (widget.role, widget.me, widget.team, widget.leaders) == (
        "manager",
        "mia",
        "lab-martin",
        ["claire"],
    )
    by = {one["person"]: one["by"] for one in widget.members}
    assert (by["boris"], by["chiara"]) == ("mia", "mia")
    assert (by["mia"], by["visitor"]) == ("", "")  # came with the project; by a later handover
    assert [one["ends_at"] for one in widget.members if one["person"] == "boris"] == [""]


def test_a_role_is_given_taken_and_given_back(people: People) -> None:
    widget = Members("demo", catalog=people)
    widget.put("boris", "viewer", "2099-06-30")
    assert widget.done == {"text": "boris is viewer now.", "undo": True}
    widget.undo()
    assert widget.done == {"text": "Taken back.", "undo": False}
    assert next(one for one in widget.members if one["person"] == "boris")["role"] == "contributor"
    say(widget, "remove", person="boris")
    assert "boris" not in {one["person"] for one in widget.members}
    say(widget, "undo")
    assert "boris" in {one["person"] for one in widget.members}
    widget.undo()  # nothing is left to take back
    assert [one[0] for one in people.asked].count("undo") == 2


def test_a_refusal_is_one_line_and_the_members_stay(people: People) -> None:
    widget = Members("demo", catalog=people)
    before = widget.members
    people.trouble = Refused("this needs the role manager in project 'demo'; you are viewer")
    say(widget, "put", person="eve", role="viewer", ends_at="")
    assert widget.error.startswith("this needs the role manager")
    assert widget.members == before
    people.trouble = None
    widget.refresh()
    assert widget.error == ""


def test_what_the_form_says_is_sent_and_may_be_withdrawn(people: People) -> None:
    form = ProjectRequest(people)
    wire = Wire()
    form.comm = wire
    assert [one["name"] for one in form.requests] == ["embryos", "screen-2", "screen-3"]
    assert form.requests[1]["page"] == "/services/cid/projects/screen-2"
    assert (form.draft["team"], form.draft["limit"]) == ("lab-martin", "100 GB")
    terms = [{"key": "Dose", "type": "number", "unit": "mg", "choices": []}]
    members = [{"person": "bob", "role": "viewer"}]
    form.draft = form.draft | {"name": "new", "limit": "2 TB", "members": members, "terms": terms}
    say(form, "send")
    more = {"title": "", "limit": "2 TB", "members": {"bob": "viewer"}, "terms": terms}
    assert ("request", "new", "lab-martin", more | {"purpose": ""}) in people.asked
    assert form.requests[0]["name"] == "new"
    assert form.draft["name"] == ""
    told = [one["content"]["tell"] for one in wire.taken() if one["method"] == "custom"]
    assert told == ["sent", "answered"]
    form.withdraw(form.requests[0]["uid"])
    assert form.requests[0]["state"] == "withdrawn"
    people.trouble = Refused("20 requests of yours wait already: withdraw one")
    form.draft = form.draft | {"name": "kept"}
    say(form, "send")
    assert (form.error, form.draft["name"]) == (str(people.trouble), "kept")


def test_staff_sees_what_must_be_known_and_answers_once(people: People) -> None:
    people.me = "staff"
    inbox = Requests(people)
    assert [one["name"] for one in inbox.requests] == ["wound-healing", "embryos"]
    assert inbox.taken == ["demo", "embryos", "histology"]
    assert inbox.rooms == {}
    inbox.opened = "q1"
    assert inbox.rooms["lab-martin"]["used"] == 12_400 * GB
    say(inbox, "room", team="lab-nobody")  # is not there yet
    assert list(inbox.rooms) == ["lab-martin"]
    say(inbox, "approve", uid="q1", name=None, limit="500 GB", leaders=["ann"], terms=None)
    given = {"name": None, "team": None, "limit": "500 GB", "leaders": ["ann"], "terms": None}
    assert ("approve", "q1", given) in people.asked
    assert inbox.done["text"] == "The project wound-healing is made."
    assert inbox.requests[0]["state"] == "approved"  # shown with what came of it
    say(inbox, "refuse", uid="q2", reason="Taken.")
    assert [one["name"] for one in inbox.requests] == ["embryos"]
    inbox.state = "approved"
    assert {one["name"] for one in inbox.requests} == {"wound-healing", "screen-2"}
    people.trouble = Refused("this request is refused already, by staff")
    inbox.approve("q2")
    assert inbox.error == str(people.trouble)


def test_what_a_leaver_has_is_handed_over_and_back(people: People) -> None:
    widget = Leaving(people, "bob")
    assert (widget.found["only_reader"], widget.found["nbytes"]) == (["screen"], 812 * GB)
    say(widget, "hand_over", to="claire", end=True)
    assert widget.done["undo"] is True
    assert widget.done["text"] == (
        "claire was given screen, team lab-bob. 2 memberships of bob ended."
        " One request of bob withdrawn. 2 subscriptions run in the name of claire now."
        " 1 subscription paused: claire may not run them."
    )
    assert widget.found["only_reader"] == []
    widget.undo()
    assert widget.found["only_reader"] == ["screen"]
    widget.person = "somebody"
    assert (widget.found, widget.done) == (None, None)
    assert widget.error.startswith("what a person has is seen by")
    assert Leaving(people).error == ""
