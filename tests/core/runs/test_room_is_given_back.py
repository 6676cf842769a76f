"""What a run has reserved is held until its end, whatever that is, and given back once."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import world
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.queue import steering
from cid_server_ext.core.runs import runs, states, submit
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import Conflict

WHO = Actor("contributor")
PROJECT = "gives-back"
WAYS = [
    ("cancelled",),
    ("failed",),
    ("starting", "cancelled"),
    ("starting", "failed"),
    ("starting", "queued", "starting", "running", "queued", "cancelled"),
    ("starting", "running", "cancelled"),
    ("starting", "running", "failed"),
    ("starting", "running", "committing", "done"),
    ("starting", "running", "committing", "failed"),
    ("starting", "running", "committing", "cancelled"),
]


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    with sessions.begin() as session:
        world.make_project(session, PROJECT, limit=10**9)
        for n in range(12):
            world.add_image(session, PROJECT, f"image {n}")
        templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        yield session


def submitted(session: Session, images: int) -> list[t.Run]:
    uids = session.scalars(select(t.Image.uid).order_by(t.Image.id).limit(images)).all()
    return submit.submit(session, WHO, "count-things", list(uids), {})


def promised(session: Session) -> int:
    """What the allocation counts; it is what the runs that have not ended reserved."""
    counted = session.scalars(select(t.Allocation.reserved)).one()
    of_runs = session.scalars(select(func.coalesce(func.sum(t.Run.reserved), 0))).one()
    assert counted == of_runs
    return counted


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_it_is_held_to_the_end_and_then_given_back(session: Session, way: tuple[str, ...]) -> None:
    one, other = submitted(session, 2)
    each = other.reserved
    assert promised(session) == 2 * each > 0
    for state in way[:-1]:
        states.move(session, one.id, state)
        assert promised(session) == 2 * each
    states.move(session, one.id, way[-1])
    assert promised(session) == each
    with pytest.raises(Conflict):
        states.move(session, one.id, "cancelled")
    assert promised(session) == each


def test_a_batch_that_is_cancelled_and_a_run_that_is_tried_again(session: Session) -> None:
    made = submitted(session, 3)
    each = made[0].reserved
    runs.cancel(session, WHO, made[0].uid)
    states.move(session, made[1].id, "starting")
    states.move(session, made[1].id, "failed", error={"error": "KernelDied", "message": "it died"})
    assert promised(session) == each
    steering.retry(session, WHO, made[1].uid)
    assert promised(session) == 2 * each
    steering.cancel_batch(session, WHO, made[0].batch)
    assert promised(session) == 0


def test_whatever_becomes_of_many_it_adds_up(session: Session) -> None:
    chance = random.Random(7)
    left = {run.id: "queued" for run in submitted(session, 12)}
    steps = 0
    while left:
        run_id = chance.choice(sorted(left))
        state = chance.choice(sorted(states.NEXT[left[run_id]]))
        if steps > 60 and state == "queued":  # else it might go on for ever
            state = "failed"
        states.move(session, run_id, state)
        left[run_id] = state
        if state in states.ENDED:
            del left[run_id]
        promised(session)
        steps += 1
    assert promised(session) == 0
