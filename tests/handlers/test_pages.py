"""Pages show what the API answers, to the same people, and names stay text."""

from __future__ import annotations

import itertools
import re
from typing import Any

import httpx
import pytest
import world
from processes import STAFF, Service, identity

from cid_server_ext.db.session import Sessions

unique = itertools.count()
HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def made(service_database: Sessions) -> world.World:
    with service_database.begin() as session:
        return world.make(session, f"shown-{next(unique)}")


def page(service: Service, path: str, who: Any) -> httpx.Response:
    return httpx.get(service.url + path, headers=identity(who), timeout=30)


def test_people_see_what_they_reach(service: Service, made: world.World) -> None:
    assert made.project in page(service, "", "viewer").text
    assert made.image in page(service, f"projects/{made.project}", "viewer").text
    assert "63x/1.4 oil" in page(service, f"images/{made.image}", "viewer").text
    assert "count-things 1.0.0" in page(service, f"runs/{made.run}", "viewer").text


@pytest.mark.parametrize("kind", ["projects/{0.project}", "images/{0.image}", "runs/{0.run}"])
def test_a_stranger_sees_what_an_absent_record_shows(
    service: Service, made: world.World, kind: str
) -> None:
    answer = page(service, kind.format(made), "stranger")
    assert answer.status_code == 404
    assert "NotFound" in answer.text
    assert made.project not in page(service, "", "stranger").text


def test_the_first_page_says_what_waits_and_what_was_answered(service: Service) -> None:
    name = f"asked-{next(unique)}"
    body = {"name": name, "team": "asking", "limit": 1}
    uid = service.ask("POST", "requests", name, json=body).json()["uid"]
    mine = page(service, "", name).text
    assert "waits for staff" in mine
    assert "wait for an answer" not in mine
    waiting = re.search(r"(\d+) requests? for a project waits?", page(service, "", STAFF).text)
    assert waiting is not None
    assert name not in page(service, "", "stranger").text
    answer = service.ask("POST", f"requests/{uid}/refuse", STAFF, json={"reason": HOSTILE})
    assert answer.status_code == 200
    assert "refused: &lt;img src=x" in page(service, "", name).text
    again = re.search(r"(\d+) requests? for a project waits?", page(service, "", STAFF).text)
    assert (int(again[1]) if again else 0) == int(waiting[1]) - 1


def test_nobody_is_sent_to_the_login(service: Service, made: world.World) -> None:
    answer = page(service, f"images/{made.image}", None)
    assert answer.status_code == 302
    assert "login" in answer.headers["Location"]


def test_names_stay_text_and_no_script_may_run(service: Service, made: world.World) -> None:
    renamed = service.ask(
        "PATCH", f"images/{made.image}", "manager", json={"name": HOSTILE.replace("/", "")}
    )
    assert renamed.status_code == 200
    answer = page(service, f"images/{made.image}", "viewer")
    assert HOSTILE not in answer.text
    assert "&lt;img src=x" in answer.text
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
