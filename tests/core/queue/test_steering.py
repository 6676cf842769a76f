"""Runs and batches are paused, resumed, cancelled, tried again and hurried by whom they concern."""

from __future__ import annotations

import datetime as dt

import pytest
from queue_rows import claim, end, team, wait
from sqlalchemy import select, update

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.queue import limits, steering, turns, waiting
from cid_server_ext.core.queue.limits import Limits
from cid_server_ext.core.runs import states
from cid_server_ext.db.tables import (
    Allocation,
    Dataset,
    Image,
    Journal,
    Line,
    Run,
    RunInput,
    Template,
)
from cid_server_ext.errors import BadInput, Conflict, NotAllowed, NotFound, OverQuota

MINE = Actor("a-person")
STAFF = Actor("staff", staff=True)


@pytest.fixture
def project(sessions):
    """The project of a team, with a whole manifest."""
    made = team(sessions, "a")
    manifest = {"template": {"name": "count-a", "version": "1.0.0", "title": "A"}, "parameters": {}}
    with sessions.begin() as session:
        journal.record(session, "test", "set up", "test")
        template = session.get_one(Template, made)
        template.manifest = manifest | {"resources": {"workers": 2}}
    return made


def failed(sessions, project, error, runs=1, batch="f" * 36):
    """Add runs on an image that ended with an error."""
    waiting = wait(sessions, project, runs, batch=batch, state="starting")
    with sessions.begin() as session:
        dataset = Dataset(project_id=project, path=f"plate {batch[0]}")
        session.add(dataset)
        session.flush()
        image = Image(
            dataset_id=dataset.id,
            project_id=project,
            name="cells",
            kind="image",
            prefix=f"images/{batch}",
            nbytes=1,
            sha256="0" * 64,
            created_by="a-person",
            axes="cyx",
            shape=[1, 10, 10],
            dtype="uint8",
            levels=1,
            scale=[1.0, 1.0, 1.0],
            units=["", "", ""],
            channels=[],
        )
        session.add(image)
        session.flush()
        session.add_all(RunInput(run_id=run.id, position=0, image_id=image.id) for run in waiting)
        ids = [run.id for run in waiting]
        states.move_all(session, ids, "failed", error={"error": error, "message": "it was so"})
    return waiting


def one(sessions, run):
    with sessions() as session:
        return session.get_one(Run, run.id)


def states_of(sessions, batch):
    with sessions() as session:
        asked = select(Run.state).where(Run.batch == batch).order_by(Run.id)
        return list(session.scalars(asked))


def do(sessions, what, *given, actor=MINE):
    with sessions.begin() as session:
        return what(session, actor, *given)


def test_a_paused_run_waits_until_it_is_resumed(sessions, project):
    (run,) = wait(sessions, project)
    assert do(sessions, steering.pause, run.uid).paused
    assert claim(sessions) is None
    assert not do(sessions, steering.resume, run.uid).paused
    assert claim(sessions).runs[0].id == run.id
    with pytest.raises(Conflict, match="is starting: only what is queued can wait"):
        do(sessions, steering.pause, run.uid)


def test_a_paused_batch_starts_no_more_and_says_what_goes_on(sessions, project):
    runs = wait(sessions, project, 6)
    claim(sessions)
    done = do(sessions, steering.pause_batch, runs[0].batch)
    assert (done.changed, len(done.left)) == (2, 4)
    assert {one.state for one in done.left} == {"starting"}
    end(sessions, *[run.id for run in runs[:4]])
    assert claim(sessions) is None
    assert do(sessions, steering.resume_batch, runs[0].batch).changed == 2
    assert len(claim(sessions).runs) == 2


def test_cancelling_a_batch_ends_what_waits_and_asks_the_rest(sessions, project):
    runs = wait(sessions, project, 6)
    claim(sessions)
    end(sessions, runs[0].id)
    assert do(sessions, steering.cancel_batch, runs[0].batch).changed == 5
    assert states_of(sessions, runs[0].batch) == ["done"] + 3 * ["starting"] + 2 * ["cancelled"]
    with sessions() as session:
        asked = select(Run.id).where(Run.cancel_asked)
        assert set(session.scalars(asked)) == {run.id for run in runs[1:4]}
        assert session.get_one(Allocation, project).reserved == 300


def test_a_failed_run_is_the_same_run_again(sessions, project):
    (run,) = failed(sessions, project, "WorkerDied")
    with sessions.begin() as session:
        struck = update(Run).values(strikes=[{"attempt": 1}], cancel_asked=True, attempt=3)
        session.connection().execute(struck)
    again = do(sessions, steering.retry, run.uid)
    assert (again.state, again.attempt, again.error, again.strikes) == ("queued", 3, None, [])
    assert (again.cancel_asked, again.ended_at) == (False, None)
    with sessions() as session:
        assert again.reserved > 0
        assert session.get_one(Allocation, project).reserved == again.reserved
        told = select(Journal.action).where(Journal.subject == f"run:{run.uid}")
        assert list(session.scalars(told.order_by(Journal.id)))[-2:] == ["run queued", "retry runs"]
    assert claim(sessions).runs[0].attempt == 4
    with pytest.raises(Conflict, match="is starting: only one that failed"):
        do(sessions, steering.retry, run.uid)


def test_what_fits_no_more_is_not_tried_again(sessions, project):
    (run,) = failed(sessions, project, "WorkerDied")
    with sessions.begin() as session:
        session.connection().execute(update(Allocation).values(limit=10))
    for what, name in ((steering.retry, run.uid), (steering.retry_batch, run.batch)):
        with pytest.raises(OverQuota, match="free of"):
            do(sessions, what, name)
    assert one(sessions, run).state == "failed"


def test_a_batch_says_which_failures_it_does_not_try_again(sessions, project):
    failed(sessions, project, "MemoryError", 2)
    (sure,) = failed(sessions, project, "EnvironmentDiffers", batch="e" * 36)
    with sessions.begin() as session:
        session.connection().execute(update(Run).values(batch="f" * 36))
    done = do(sessions, steering.retry_batch, "f" * 36)
    assert done.changed == 2
    assert [(left.run, left.reason.partition(":")[0]) for left in done.left] == [
        (sure.uid, "EnvironmentDiffers")
    ]
    assert sorted(states_of(sessions, "f" * 36)) == ["failed", "queued", "queued"]


def test_an_input_in_the_trash_is_named(sessions, project):
    (run,) = failed(sessions, project, "WorkerDied")
    with sessions.begin() as session:
        session.connection().execute(update(Image.__table__).values(tier="archive"))
    with pytest.raises(Conflict, match="'cells' cannot be read: it is archived"):
        do(sessions, steering.retry, run.uid)


@pytest.mark.parametrize(
    "what", [steering.pause_batch, steering.resume_batch, steering.cancel_batch]
)
def test_only_whom_it_concerns(sessions, project, what):
    (run,) = wait(sessions, project, person="colleague")
    with pytest.raises(NotAllowed, match="who submitted this batch"):
        do(sessions, what, run.batch)
    with pytest.raises(NotFound):
        do(sessions, what, run.batch, actor=Actor("stranger"))
    with pytest.raises(NotAllowed):
        do(sessions, what, run.batch, actor=Actor("colleague", staff=True, writes=False))
    assert do(sessions, what, run.batch, actor=STAFF).batch == run.batch


def test_above_zero_priority_is_given_by_staff(sessions, project):
    (run,) = wait(sessions, project)
    assert do(sessions, steering.set_priority, run.batch, -4).changed == 1
    assert one(sessions, run).priority == -4
    with pytest.raises(NotAllowed, match="only facility staff"):
        do(sessions, steering.set_priority, run.batch, 1)
    do(sessions, steering.set_priority, run.batch, 10, actor=STAFF)
    assert one(sessions, run).priority == 10
    with pytest.raises(BadInput, match="from -10 to 10"):
        do(sessions, steering.set_priority, run.batch, 11, actor=STAFF)


def test_when_a_turn_may_come_is_checked():
    turns.check(MINE, turns.Turn(-10))
    with pytest.raises(BadInput, match="within a year"):
        turns.check(MINE, turns.Turn(0, dt.datetime(2999, 1, 1, tzinfo=dt.UTC)))
    assert turns.gpu(1, 100, 101) is True
    assert turns.gpu(1, 100, 100) is False
    assert turns.gpu(1, None, 1) is turns.gpu(0, 100, 1) is None


def test_everybody_is_told_what_his_run_waits_for(sessions, project):
    (begun,), (limited,) = wait(sessions, project), wait(sessions, project)
    do(sessions, limits.set_limits, "a", Limits(batches=1), actor=STAFF)
    other = team(sessions, "b")
    (first,), (second,) = wait(sessions, other), wait(sessions, other)
    (paused,) = wait(sessions, project, paused=True)
    (later,) = wait(sessions, project, not_before=dt.datetime(2100, 1, 1, 20, tzinfo=dt.UTC))
    with sessions.begin() as session:
        states.move_all(session, [begun.id], "starting")
    with sessions() as session:
        runs = list(session.scalars(select(Run).order_by(Run.id)))
        told = waiting.why(session, runs)
        assert waiting.of_batch(session, limited.batch) == told[limited.id]
        assert waiting.of_batch(session, begun.batch) is None
    assert told == {
        begun.id: "waits for a worker of its cluster",
        limited.id: "waits: its team runs 1 of 1 clusters",
        first.id: "place 1 in the queue",
        second.id: "place 2 in the queue",
        paused.id: "paused: resume it to let it go on",
        later.id: "waits until 2100-01-01 20:00 UTC",
    }


def test_gpu_minutes_of_the_month_that_are_spent_stop_gpu_runs_only(sessions):
    gpu = team(sessions, "a", gpus=1)
    do(sessions, limits.set_limits, "a", Limits(gpu_minutes=10), actor=STAFF)
    (run,) = wait(sessions, gpu)
    (small,) = wait(sessions, gpu, gpu=False)
    with sessions.begin() as session:
        journal.record(session, "test", "set up", "test")
        today = states.database_now(session).date()
        about = {"kind": "gpu", "team_id": 1, "project_id": gpu, "person": "x"}
        session.add(Line(key="this month", day=today, amount=660, **about))
        before = today.replace(day=1) - dt.timedelta(1)
        session.add(Line(key="the last", day=before, amount=9999, **about))
    with sessions() as session:
        assert limits.gpu_left(session, 1) == 0
        assert limits.gpu_minutes(session, [1]) == {1: 11}
        told = waiting.why(session, [session.get_one(Run, run.id)])
    assert "has used 11 of 10 GPU minutes of this month: it goes on at" in told[run.id]
    assert claim(sessions).runs[0].id == small.id
    assert claim(sessions) is None


def test_limits_are_set_by_staff_and_null_goes_by_the_facilitys(sessions, project):
    do(sessions, limits.set_limits, None, Limits(batches=4, share=1.0), actor=STAFF)
    do(sessions, limits.set_limits, "a", Limits(share=2.0), actor=STAFF)
    do(sessions, limits.set_limits, "a", Limits(share=3.0), actor=STAFF)
    with sessions() as session:
        assert limits.effective(session, [1]) == {1: Limits(share=3.0, batches=4)}
        assert limits.own(session, 1) == Limits(share=3.0)
        assert limits.gpu_left(session, 1) is None
    with pytest.raises(NotAllowed):
        do(sessions, limits.set_limits, "a", Limits())
    with pytest.raises(BadInput, match="share: from"):
        do(sessions, limits.set_limits, "a", Limits(share=0.0), actor=STAFF)
    with pytest.raises(NotFound):
        do(sessions, limits.set_limits, "nobody's", Limits(), actor=STAFF)
