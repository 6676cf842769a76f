"""What staff is told of queue, conductors and mail."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import queue_rows as rows
from sqlalchemy import update

from cid_server_ext.core import health
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.health import Health
from cid_server_ext.core.notices import notices, wishes
from cid_server_ext.core.notices.wishes import Post, Wish
from cid_server_ext.core.queue import beats
from cid_server_ext.core.runs import states
from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import NotAllowed

MONITOR = Actor("monitor", staff=True, writes=False)
NONE = dict.fromkeys(health.STATES, 0)


def figures(sessions: Sessions) -> Health:
    with sessions() as session:
        return health.figures(session, MONITOR)


def ago(sessions: Sessions, table: Any, seconds: float, *which: Any, **columns: Any) -> None:
    """Set times of a table so many seconds back."""
    with sessions.begin() as session:
        at = clock.after(session, -seconds)
        moved = dict.fromkeys(columns.pop("names"), at)
        session.connection().execute(update(table).where(*which).values(**moved, **columns))


def test_a_catalog_in_which_nothing_happens_is_all_zeros(sessions: Sessions) -> None:
    found = figures(sessions)
    assert (found.runs, found.waited, found.lanes, found.conductors) == (NONE, None, [], [])
    assert found.ended == {"done": 0, "failed": 0, "cancelled": 0}
    assert (found.failures, found.clusters) == ({}, 0)
    assert (found.mail.waiting, found.mail.tried, found.mail.refused) == (0, 0, 0)


def test_lanes_say_what_they_have_and_how_long_the_first_has_waited(sessions: Sessions) -> None:
    project = rows.team(sessions, "one")
    going = rows.wait(sessions, project, 6)
    later = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    held = rows.wait(sessions, rows.team(sessions, "two"), 2, not_before=later)
    paused = rows.wait(sessions, rows.team(sessions, "three"), 3, paused=True, gpu=True)
    ago(sessions, t.Run, 300, names=["created_at"])
    assert figures(sessions).waited == pytest.approx(300, abs=30)
    assert rows.claim(sessions) is not None  # two workers, and as many to go on with
    found = figures(sessions)
    assert found.runs == NONE | {"queued": 2, "starting": 4, "later": 2, "paused": 3}
    first, second, third = found.lanes
    assert (first.batch, first.team, first.person) == (going[0].batch, "one", "one-person")
    assert first.runs == {"queued": 2, "starting": 4}
    assert first.waited == pytest.approx(300, abs=30)
    assert "its batch is under way" in (first.waits or "")
    assert (second.batch, second.runs, second.waited) == (held[0].batch, {"later": 2}, None)
    assert (third.batch, third.kind, third.runs) == (paused[0].batch, "gpu", {"paused": 3})
    assert found.waited is None  # what is left of the lane waits for its own cluster


def test_a_run_that_is_tried_again_is_no_old_wait(sessions: Sessions) -> None:
    rows.wait(sessions, rows.team(sessions, "one"))
    ago(sessions, t.Run, 9000, names=["created_at"], attempt=1)
    found = figures(sessions)
    assert (found.waited, found.lanes[0].waits) == (None, "place 1 in the queue")


def test_many_lanes_are_counted_and_the_first_are_told(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LANES", 2)
    project = rows.team(sessions, "one")
    batches = [rows.wait(sessions, project)[0].batch for _ in range(3)]
    found = figures(sessions)
    assert [lane.batch for lane in found.lanes] == batches[:2]
    assert (found.lanes_left_out, found.runs["queued"]) == (1, 3)


def test_a_conductor_is_told_until_it_stops_and_one_that_died_for_an_hour(
    sessions: Sessions,
) -> None:
    rows.wait(sessions, rows.team(sessions, "one"), 2)
    rows.claim(sessions, "works")
    with sessions.begin() as session:
        session.connection().execute(update(t.Run).values(cluster="its cluster"))
        for name in ("works", "died", "forgotten", "stops"):
            beats.beat(session, name)
        beats.over(session, "stops")
    ago(sessions, t.Conducting, 90, t.Conducting.conductor == "died", names=["seen_at"])
    ago(sessions, t.Conducting, 4000, t.Conducting.conductor == "forgotten", names=["seen_at"])
    found = figures(sessions)
    assert [(c.name, c.alive, c.clusters, c.runs) for c in found.conductors] == [
        ("works", True, 1, 2),
        ("died", False, 0, 0),
    ]
    assert found.conductors[1].silent == pytest.approx(90, abs=30)
    assert found.clusters == 1
    with sessions.begin() as session:
        since = session.get_one(t.Conducting, "died").since
        beats.beat(session, "died")  # it was only slow
        beats.beat(session, "new")
    with sessions() as session:
        assert {one.conductor for one in session.query(t.Conducting)} == {"works", "died", "new"}
        assert session.get_one(t.Conducting, "died").since == since


def test_what_failed_in_the_last_hour_is_told_by_name(sessions: Sessions) -> None:
    runs = [run.id for run in rows.wait(sessions, rows.team(sessions, "one"), 4)]
    with sessions.begin() as session:
        for run in runs[:3]:
            error = {"error": "InputGone", "message": "an image is in the trash"}
            states.move(session, run, "failed", error=error)
        states.move(session, runs[3], "cancelled")
    ago(sessions, t.Run, 4000, t.Run.id == runs[0], names=["ended_at"])
    found = figures(sessions)
    assert found.ended == {"done": 0, "failed": 2, "cancelled": 1}
    assert found.failures == {"InputGone": 2}


def test_mail_that_waits_is_counted_and_what_was_refused(sessions: Sessions) -> None:
    with sessions.begin() as session:
        wishes.put(session, Actor("ana"), Wish("each", "ana@lab.example"), Post(True))
        for text in ("one", "two", "three"):
            notices.tell(session, "ana", "batch", "batch:b1", text)
    ago(sessions, t.Notice, -600, t.Notice.text == "two", names=["mail_at"], tries=3)
    ago(sessions, t.Notice, 0, t.Notice.text == "three", names=["mail_at"], mail="refused")
    mail = figures(sessions).mail
    assert (mail.waiting, mail.tried, mail.refused) == (2, 1, 1)


def test_only_staff_is_told_and_a_run_of_staff_is_not(sessions: Sessions) -> None:
    with sessions() as session:
        for actor in (Actor("ana"), replace(MONITOR, run_id=1)):
            with pytest.raises(NotAllowed, match="only facility staff may see this"):
                health.figures(session, actor)
