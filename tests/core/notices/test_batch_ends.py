"""The end of a batch is told once, by the transaction that ends its last run."""

from __future__ import annotations

import threading

import pytest
import run_rows
from sqlalchemy import select

from cid_server_ext.core import journal
from cid_server_ext.core.runs import states
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions


@pytest.fixture
def filled(sessions: Sessions) -> Sessions:
    return run_rows.fill(sessions)


def end(sessions: Sessions, run: t.Run, state: str, **changes: object) -> None:
    with sessions.begin() as session:
        states.move(session, run.id, state, **changes)


def told(sessions: Sessions) -> list[tuple[str, str, str]]:
    with sessions() as session:
        rows = session.scalars(select(t.Notice).order_by(t.Notice.id)).all()
        return [(row.person, row.about, row.text) for row in rows]


def test_a_batch_is_told_when_nothing_of_it_is_left(filled: Sessions) -> None:
    runs = run_rows.queue(filled, 3, state="running")
    error = {"error": "ValueError", "message": "no\nnucleus", "cell": 4}
    end(filled, runs[1], "failed", error=error)
    end(filled, runs[0], "cancelled")
    assert told(filled) == []
    end(filled, runs[2], "committing")
    assert told(filled) == []
    end(filled, runs[2], "done")
    said = (
        "segment-cells in demo: 1 of 3 runs are done, 1 failed, 1 cancelled. ValueError: no nucleus"
    )
    assert told(filled) == [("researcher", f"batch:{runs[0].batch}", said)]


def test_what_its_person_stopped_is_no_news_and_a_single_run_is_told_by_its_state(
    filled: Sessions,
) -> None:
    for run in run_rows.queue(filled, 2):
        end(filled, run, "cancelled")
    assert told(filled) == []
    (alone,) = run_rows.queue(filled, 1, state="committing")
    end(filled, alone, "done")
    assert [text for *_, text in told(filled)] == ["segment-cells is done"]


def test_two_that_end_at_the_same_moment_tell_it_once(filled: Sessions) -> None:
    runs = run_rows.queue(filled, 8, state="committing")
    start = threading.Barrier(len(runs))

    def one(run: t.Run) -> None:
        start.wait()
        end(filled, run, "done")

    threads = [threading.Thread(target=one, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [text for *_, text in told(filled)] == ["segment-cells in demo: 8 of 8 runs are done"]


def test_a_transaction_that_is_taken_back_has_told_nothing(filled: Sessions) -> None:
    (run,) = run_rows.queue(filled, 1, state="committing")
    with filled() as session:
        states.move(session, run.id, "done")
        session.flush()
        session.rollback()
    assert told(filled) == []
    end(filled, run, "done")
    assert len(told(filled)) == 1


def test_what_runs_by_itself_is_told_when_it_fails_until_that_is_read(filled: Sessions) -> None:
    with filled.begin() as session:
        journal.record(session, "test", "set up", "test")
        dataset = t.Dataset(project_id=1, path="live", query="x>1")
        subscription = t.Subscription(
            project_id=1, template_id=1, dataset=dataset, person="researcher", parameters={}
        )
        session.add(subscription)
        session.flush()
        number, uid, home = subscription.id, subscription.uid, dataset.id
    for n, state in enumerate(("done", "failed", "failed")):
        (run,) = run_rows.queue(filled, 1, state="committing")
        with filled.begin() as session:
            journal.record(session, "test", "set up", "test")
            image = t.Image(
                project_id=1,
                dataset_id=home,
                name=f"i{n}",
                kind="image",
                axes="yx",
                shape=[8, 8],
                dtype="uint8",
                levels=1,
                scale={},
                units={},
                channels=[],
                prefix=f"images/{n}",
                nbytes=1,
                sha256="0" * 64,
                created_by="researcher",
            )
            session.add(image)
            session.flush()
            session.add(
                t.SubscriptionMatch(
                    subscription_id=number, record_id=image.id, state="run", run_id=run.id
                )
            )
        end(filled, run, state)
    assert [about for _, about, _ in told(filled)] == [f"subscription:{uid}"]
