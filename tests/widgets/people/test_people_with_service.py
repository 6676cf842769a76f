"""The widgets about people on the real client and the real service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from processes import STAFF, Service
from speaking import connected
from stage import heard

import cid_client as cid
from cid_widgets import Leaving, Members, ProjectRequest, Requests

pytestmark = pytest.mark.usefixtures("bundle")


@pytest.fixture
def catalogs(service: Service) -> Iterator[dict[str, cid.Catalog]]:
    people: dict[str, Any] = {"staff": STAFF, "petra": "petra", "quinn": "quinn", "rosa": "rosa"}
    made = {name: connected(service, who) for name, who in people.items()}
    yield made
    for catalog in made.values():
        catalog.close()


def say(widget: Any, ask: str, **rest: Any) -> None:
    heard(widget, method="custom", content={"ask": ask, **rest})
    assert widget.error == ""


def test_a_project_is_asked_for_made_peopled_and_handed_over(
    catalogs: dict[str, cid.Catalog], service: Service
) -> None:
    form = ProjectRequest(catalogs["petra"])
    terms = [{"key": "Petra dose", "type": "number", "unit": "mg", "choices": []}]
    said = {"name": "petra-screen", "team": "lab-petra", "limit": "2 TB", "terms": terms}
    form.draft = form.draft | said | {"members": [{"person": "quinn", "role": "annotator"}]}
    say(form, "send")
    [asked] = [one for one in form.requests if one["name"] == "petra-screen"]
    assert (asked["state"], asked["limit"]) == ("asked", 2 * 10**12)

    inbox = Requests(catalogs["staff"])
    inbox.opened = asked["uid"]
    assert inbox.error == ""
    assert "petra-screen" not in inbox.taken
    say(inbox, "approve", uid=asked["uid"], limit="1.5 TB", leaders=["rosa"])
    assert inbox.requests[0]["project"] == "petra-screen"
    assert "petra-screen" in inbox.taken
    page = httpx.get(
        service.origin + inbox.requests[0]["page"], headers={"X-Test-User": '{"name": "petra"}'}
    )
    assert (page.status_code, "petra-screen" in page.text) == (200, True)
    say(inbox, "room", team="lab-petra")
    assert inbox.rooms["lab-petra"] == {
        "limit": 1_500_000_000_000,
        "used": 0,
        "reserved": 0,
        "count": 1,
    }
    form.refresh()
    assert form.requests[0]["state"] == "approved"

    members = Members(catalogs["petra"].project("petra-screen"))
    assert (members.error, members.role, members.leaders) == ("", "manager", [])
    assert Members("petra-screen", catalog=catalogs["rosa"]).leaders == ["rosa"]
    say(members, "put", person="vera", role="viewer", ends_at="2099-06-30T22:00:00.000Z")
    [vera] = [one for one in members.members if one["person"] == "vera"]
    assert (vera["ends_at"], vera["by"]) == ("2099-06-30T22:00:00Z", "petra")
    say(members, "remove", person="quinn")
    assert [one["person"] for one in members.members] == ["petra", "vera"]
    say(members, "undo")
    assert [one["person"] for one in members.members] == ["petra", "quinn", "vera"]
    reader = Members("petra-screen", catalog=catalogs["quinn"])
    reader.remove("vera")
    assert reader.error.startswith("this needs the role manager")
    assert len(reader.members) == 3

    catalogs["staff"].team("lab-petra").remove_member("rosa")
    leaving = Leaving(catalogs["staff"], "petra")
    assert leaving.error == ""
    assert leaving.found["only_manager"] == ["petra-screen"]
    say(leaving, "hand_over", to="quinn", end=True)
    assert leaving.found["only_manager"] == []
    assert Members("petra-screen", catalog=catalogs["quinn"]).role == "manager"
    say(leaving, "undo")
    assert leaving.found["only_manager"] == ["petra-screen"]
    assert Members("petra-screen", catalog=catalogs["quinn"]).role == "annotator"

    form.draft = form.draft | {"name": "petra-two", "team": "lab-petra"}
    say(form, "send")
    uid = form.requests[0]["uid"]
    inbox.refresh()
    say(inbox, "refuse", uid=uid, reason="Please use petra-screen.")
    inbox.approve(uid)
    assert inbox.error == "this request is refused already, by staff"
    form.refresh()
    assert (form.requests[0]["state"], form.requests[0]["reason"]) == (
        "refused",
        "Please use petra-screen.",
    )


def test_what_staff_reads_in_the_docs_opens(
    catalogs: dict[str, cid.Catalog], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[3] / "docs" / "staff" / "people.md"
    [snippet] = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.setattr(cid, "connect", lambda: catalogs["staff"])
    kernel: dict[str, Any] = {}
    exec(compile(snippet.replace("\nLeaving", "\nleaving = Leaving"), page.name, "exec"), kernel)
    assert (kernel["leaving"].error, kernel["leaving"].found["person"]) == ("", "bob")
