"""What runs will take and when they will end, as the real service says it."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import estimating
import pytest
import world
from live import Live
from sqlalchemy import select

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.runs import submit
from cid_server_ext.db import tables as t

PROJECT = "estimated"
WHO = Actor("contributor")
unique = itertools.count()


@pytest.fixture
def image(live: Live) -> str:
    """An image of a project of its own."""
    with live.sessions.begin() as session:
        there = session.scalar(select(t.Image.uid).where(t.Image.name == "estimated one"))
        if there is None:
            world.make_project(session, PROJECT)
            there = estimating.image(session, PROJECT, "estimated one").uid
        return str(there)


@pytest.fixture
def template(live: Live) -> str:
    """A template that nobody has run yet."""
    with live.sessions.begin() as session:
        return str(estimating.template(session, f"takes-so-long-{next(unique)}").name)


def history(live: Live, template: str, seconds: float) -> None:
    """Let there be runs of the template that took so long."""
    with live.sessions.begin() as session:
        of = session.scalars(select(t.Template).where(t.Template.name == template)).one()
        for _ in range(12):
            estimating.done(session, of, estimating.named(session, "estimated one"), seconds)


def get(live: Live, path: str) -> Any:
    answer = live.service.ask("GET", path, "contributor")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_before_and_while_it_runs(live: Live, image: str, template: str) -> None:
    body = {"template": template, "images": [image]}
    asked = live.service.ask("POST", "runs/preflight", "contributor", json=body)
    told = asked.json()["estimate"]
    assert told["seconds"] == {"low": None, "likely": None, "high": 3600.0}
    assert (told["history"], told["price"], told["currency"]) == (0, None, None)
    assert told["says"].startswith("no history yet: at most 1 h each")
    history(live, template, 200)
    told = live.service.ask("POST", "runs/preflight", "contributor", json=body).json()["estimate"]
    assert told["history"] == 12
    assert told["seconds"]["low"] <= told["seconds"]["likely"] <= told["seconds"]["high"]
    assert told["seconds"]["likely"] > 200

    with live.sessions.begin() as session:
        (run,) = submit.submit(session, WHO, template, [image], {})
        uid, batch = run.uid, run.batch
    one = get(live, f"runs/{uid}")["eta"]
    likely = dt.datetime.fromisoformat(one["likely"])
    assert one["low"] <= one["likely"] <= one["high"]
    assert likely > dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    assert get(live, f"batches/{batch}")["eta"] is not None
    for listed in (get(live, f"runs?batch={batch}")["runs"], get(live, "batches")["batches"]):
        assert not any(each.get("eta") for each in listed), "a list computes none"
    ended = live.service.ask("POST", f"runs/{uid}/cancel", "contributor")
    assert (ended.json()["state"], ended.json()["eta"]) == ("cancelled", None)
    assert get(live, f"batches/{batch}")["eta"] is None


def test_a_later_eta_is_no_change_of_the_run(live: Live, image: str, template: str) -> None:
    with live.sessions.begin() as session:
        (run,) = submit.submit(session, WHO, template, [image], {})
        uid = run.uid
    first = live.service.ask("GET", f"runs/{uid}", "contributor")
    history(live, template, 2000)
    again = live.service.ask("GET", f"runs/{uid}", "contributor")
    assert first.json()["eta"] != again.json()["eta"]
    hashes = [answer.headers["ETag"].strip('"').split("-")[0] for answer in (first, again)]
    assert hashes[0] == hashes[1]
    headers = {"If-Match": first.headers["ETag"]}
    assert live.service.ask("POST", f"runs/{uid}/cancel", "contributor", headers=headers).is_success
