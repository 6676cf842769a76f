"""Exactly one run for each match, whoever is killed and however many follow at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import standing
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from standing import arrive, look, run_on, subscribe
from subscribe_and_die import look_and_die

from cid_server_ext.core.subscriptions import following
from cid_server_ext.core.subscriptions.budget import Limits
from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions

PROJECT = "night"


def come(sessions: Sessions, *names: str) -> None:
    with sessions.begin() as session:
        arrive(session, PROJECT, list(names))


def agree(sessions: Sessions, uid: str) -> None:
    """Check that runs, matches, budget and reservation say the same."""
    with sessions() as session:
        row = session.scalars(select(t.Subscription).where(t.Subscription.uid == uid)).one()
        runs = session.scalars(select(t.Run)).all()
        matched = select(t.SubscriptionMatch.run_id, t.SubscriptionMatch.record_id)
        matched = matched.where(t.SubscriptionMatch.state == "run")
        inputs = select(t.RunInput.run_id, t.RunInput.image_id)
        assert sorted(session.execute(matched).all()) == sorted(session.execute(inputs).all())
        assert (row.runs, row.nbytes) == (len(runs), sum(run.reserved for run in runs))
        assert session.scalar(select(func.sum(t.Allocation.reserved))) == row.nbytes


def give_way(sessions: Sessions) -> None:
    """Let the duty of a killed process be over."""
    with sessions.begin() as session:
        session.execute(update(t.Duty).values(until=clock.after(session, -1)))


def test_killed_at_any_moment_the_next_one_finishes(sessions: Sessions, catalog_url: str) -> None:
    standing.make(sessions, PROJECT)
    uid = subscribe(sessions, PROJECT, Limits(runs=6))
    names = [f"stack {n}" for n in range(8)]
    come(sessions, *names)
    killed = 0
    while look_and_die(catalog_url, killed + 1):
        killed += 1
        agree(sessions, uid)
        give_way(sessions)
    assert killed > 5
    give_way(sessions)
    look(sessions)
    agree(sessions, uid)
    assert run_on(sessions) == dict.fromkeys(names[:6], 1)


def test_many_at_once_run_each_of_many_once_within_the_budget(sessions: Sessions) -> None:
    """As if each of four processes thought that the duty is its own, while images come."""
    standing.make(sessions, PROJECT)
    uid = subscribe(sessions, PROJECT, Limits(runs=90))
    names = [f"stack {n}" for n in range(100)]
    with sessions() as session:
        (number,) = session.scalars(select(t.Subscription.id))
    together, arrived = threading.Barrier(5), threading.Event()

    def follow() -> None:
        together.wait()
        last = False
        while True:
            with sessions() as session:
                ids = following.found(session, number, 30)
            try:
                with sessions.begin() as session:
                    following.note(session, number, ids)
                with sessions.begin() as session:
                    _, more = following.advance(session, number)
            except OperationalError as error:  # SQLite's one writer had no turn for long
                if "locked" not in str(error):
                    arrived.set()
                    raise
                continue
            if last and not ids and not more:
                return
            last = arrived.is_set()

    def bring() -> None:
        together.wait()
        rest = names
        while rest:
            try:
                come(sessions, *rest[:10])
            except OperationalError as error:
                if "locked" not in str(error):
                    raise
            else:
                rest = rest[10:]
        arrived.set()

    with ThreadPoolExecutor(5) as pool:
        for done in [*(pool.submit(follow) for _ in range(4)), pool.submit(bring)]:
            done.result()
    agree(sessions, uid)
    assert run_on(sessions) == dict.fromkeys(names[:90], 1)
    with sessions() as session:
        said = select(func.count()).where(t.Journal.action == "pause subscription")
        assert session.scalar(said) == 1
