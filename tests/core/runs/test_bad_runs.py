"""What people, time and other people do to a run that waits: a state and a sentence each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import world
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, deposits, records
from cid_server_ext.core.life import trash
from cid_server_ext.core.people import members
from cid_server_ext.core.queue import claims, leases, steering, waiting
from cid_server_ext.core.runs import runs, states, submit
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import (
    BadParameter,
    CidError,
    Conflict,
    NotAllowed,
    NotFound,
    OverQuota,
)

WHO = Actor("contributor")
CAPTURED = {"captured": True}


@pytest.fixture
def screen(sessions: Sessions) -> Sessions:
    """A project with one image and a published template."""
    with sessions.begin() as session:
        world.make_project(session, "screen", limit=10**8)
        world.add_image(session, "screen", "cells [2] (a)")
        templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
    return sessions


def image_of(session: Session) -> t.Image:
    return session.scalars(select(t.Image).order_by(t.Image.id)).first()


def queued(sessions: Sessions, count: int = 1) -> list[int]:
    with sessions.begin() as session:
        uid = image_of(session).uid
        return [submit.submit(session, WHO, "count-things", [uid], {})[0].id for _ in range(count)]


def claimed(sessions: Sessions) -> list[int]:
    with sessions.begin() as session:
        found = claims.claim(session, "one")
        return [run.id for run in found.runs] if found else []


def run_of(sessions: Sessions, run_id: int) -> t.Run:
    with sessions() as session:
        return session.get_one(t.Run, run_id)


def reserved(sessions: Sessions) -> int:
    with sessions() as session:
        return session.scalars(select(func.sum(t.Allocation.reserved))).one()


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"sgima": 1}, BadParameter, "sgima"),
        ({"sigma": "wide"}, BadParameter, "sigma"),
        ({"sigma": 11}, BadParameter, "sigma"),
        ({"sigma": float("nan")}, BadParameter, "sigma"),
        ({"sigma": None}, BadParameter, "sigma"),
        ({"sigma": [1]}, BadParameter, "sigma"),
        ({"mode": "best"}, BadParameter, "mode"),
        ({"sigma": "1\nimport os"}, BadParameter, "sigma"),
        ({"__import__": 1}, BadParameter, "__import__"),
    ],
)
def test_a_wrong_parameter_is_named_and_nothing_is_queued(
    screen: Sessions, given: dict, error: type[CidError], told: str
) -> None:
    with pytest.raises(error, match=told), screen.begin() as session:
        submit.submit(session, WHO, "count-things", [image_of(session).uid], given)
    with screen() as session:
        assert session.scalars(select(t.Run)).all() == []
    assert reserved(screen) == 0


def archive(session: Session) -> None:
    image_of(session).tier = "archive"


def throw(session: Session) -> None:
    trash.throw(session, WHO, [image_of(session).uid], [])


def purge(session: Session) -> None:
    image_of(session).purged_at = dt.datetime.now(dt.UTC)


def close(session: Session) -> None:
    session.scalars(select(t.Project)).one().state = "archived"


@pytest.mark.parametrize(
    ("done", "error", "told"),
    [
        (archive, Conflict, "is archived; ask for it back first"),
        (throw, NotFound, "no image"),
        (purge, NotFound, "no image"),
        (close, Conflict, "'screen' is archived: nothing runs in it"),
    ],
)
def test_what_is_gone_before_the_submit_is_told_then(
    screen: Sessions, done: Callable[[Session], None], error: type[CidError], told: str
) -> None:
    with screen() as session:
        uid = image_of(session).uid
    with screen.begin() as session:
        journal.record(session, "test", "set up", "test")
        done(session)
    with pytest.raises(error, match=told), screen.begin() as session:
        submit.submit(session, WHO, "count-things", [uid], {})
    assert reserved(screen) == 0


def leave(session: Session) -> None:
    members.remove_member(session, world.STAFF, "screen", "contributor")


def elsewhere(session: Session, path: str = "plate") -> None:
    world.make_project(session, "secret")
    home = datasets.create(session, world.STAFF, "secret", path)
    records.move(session, world.STAFF, [image_of(session).uid], home.uid)


def into_trash(session: Session) -> None:
    """As if thrown away in the moment in which it was submitted."""
    image = image_of(session)
    step = t.Trash(project_id=image.project_id, person="x", what="x", nbytes=0)
    step.purge_at = dt.datetime.now(dt.UTC)
    session.add(step)
    session.flush()
    image.trash_id = step.id


@pytest.mark.parametrize(
    ("done", "error", "told"),
    [
        (archive, "InputGone", "'cells [2] (a)' is archived: ask for it back first"),
        (into_trash, "InputGone", "'cells [2] (a)' is in the trash: restore it"),
        (elsewhere, "InputGone", "'cells [2] (a)' was put into another project while this waited"),
        (purge, "InputGone", "'cells [2] (a)' was purged while this waited"),
        (close, "ProjectNotActive", "'screen' is archived: nothing runs in it"),
        (leave, "NotAllowed", "contributor is no longer contributor of project 'screen'"),
    ],
)
def test_what_goes_while_it_waits_fails_it_before_a_worker_is_asked_for(
    screen: Sessions, done: Callable[[Session], None], error: str, told: str
) -> None:
    (run_id,) = queued(screen)
    with screen.begin() as session:
        journal.record(session, "test", "set up", "test")
        done(session)
    assert claimed(screen) == []
    run = run_of(screen, run_id)
    assert (run.state, run.attempt, run.reserved) == ("failed", 0, 0)
    assert run.error["error"] == error
    assert told in run.error["message"]
    assert reserved(screen) == 0


def test_a_file_that_changed_in_its_place_fails_the_run_that_waits(screen: Sessions) -> None:
    (run_id,) = queued(screen)
    with screen.begin() as session:
        journal.record(session, "test", "set up", "test")
        image = image_of(session)
        image.inside = ""
        place = {"root": "old", "path": "a.tif", "form": "file", "nbytes": 1, "mtime_ns": 1}
        session.add(
            t.Reference(record_id=image.original_id, state="changed", adoption="a", **place)
        )
    assert claimed(screen) == []
    assert "is changed in its place: tell staff" in run_of(screen, run_id).error["message"]


def test_what_runs_wait_for_is_not_thrown_away(screen: Sessions) -> None:
    first, *_ = queued(screen, 3)
    with pytest.raises(Conflict, match="3 runs wait for it"), screen.begin() as session:
        throw(session)
    with screen.begin() as session:
        for run in session.scalars(select(t.Run).where(t.Run.id != first)).all():
            runs.cancel(session, WHO, run.uid)
    uid = run_of(screen, first).uid
    with pytest.raises(Conflict, match=f"run {uid} reads it: wait"), screen.begin() as session:
        throw(session)
    with screen.begin() as session:
        runs.cancel(session, WHO, uid)
    with screen.begin() as session:
        throw(session)


def forced(session: Session, who: Actor = WHO) -> t.Trash:
    return trash.throw(session, who, [image_of(session).uid], [], force=True)


def test_with_force_what_waits_fails_with_the_image_s_name_and_is_retried_once_it_is_back(
    screen: Sessions,
) -> None:
    first, second = queued(screen, 2)
    assert claimed(screen) == [first]  # it starts: nothing of it is computed yet
    with pytest.raises(Conflict, match="2 runs wait for it") as told, screen.begin() as session:
        throw(session)
    assert "with force it is thrown away" in str(told.value)
    with screen.begin() as session:
        members.put_member(session, world.STAFF, "screen", "helper", "contributor")
    with pytest.raises(NotAllowed, match="2 of the runs"), screen.begin() as session:
        forced(session, Actor("helper"))
    with screen.begin() as session:
        uid = forced(session).uid
    for run_id in (first, second):
        run = run_of(screen, run_id)
        assert (run.state, run.error["error"], run.reserved) == ("failed", "InputGone", 0)
        assert "contributor threw its input 'cells [2] (a)' away" in run.error["message"]
        assert run.token_hash is None
    assert reserved(screen) == 0
    steered = run_of(screen, second).uid
    with screen.begin() as session:
        entry = select(t.Journal).where(t.Journal.action == "trash")
        assert session.scalars(entry).one().detail["runs"] == 2
        with pytest.raises(Conflict, match="in the trash"):
            steering.retry(session, WHO, steered)
        trash.restore(session, WHO, uid)
        assert steering.retry(session, WHO, steered).state == "queued"


def test_force_takes_nothing_from_a_run_that_has_begun(screen: Sessions) -> None:
    run = running(screen)
    queued(screen)
    with pytest.raises(Conflict, match=f"run {run.uid} reads it"), screen.begin() as session:
        forced(session)
    with screen() as session:
        assert {run.state for run in session.scalars(select(t.Run))} == {"running", "queued"}


def test_a_template_that_is_withdrawn_meanwhile_is_told_and_what_waits_goes_on(
    screen: Sessions,
) -> None:
    (run_id,) = queued(screen)
    with screen.begin() as session:
        reason = "It counted twice."
        templates.withdraw(session, world.STAFF, "count-things", "1.0.0", reason)
    with screen.begin() as session:
        run = session.get_one(t.Run, run_id)
        waits = waiting.why(session, [run])[run_id]
        assert waits.startswith("place 1 in the queue; count-things 1.0.0 was withdrawn")
        notice = session.scalars(select(t.Notice)).one()
        assert (notice.person, notice.about) == ("contributor", f"batch:{run.batch}")
        assert "It counted twice.; a run of it waits and goes on" in notice.text
        with pytest.raises(Conflict, match="is withdrawn"):
            submit.submit(session, WHO, "count-things", [image_of(session).uid], {})
    assert claimed(screen) == [run_id]


def running(sessions: Sessions) -> t.Run:
    """Return a run that executes, with its worker's token."""
    (run_id,) = queued(sessions)
    assert claimed(sessions) == [run_id]
    with sessions.begin() as session:
        states.move(session, run_id, "running")
    return run_of(sessions, run_id)


def test_a_lowered_allocation_leaves_what_was_reserved(screen: Sessions) -> None:
    run = running(screen)
    with screen.begin() as session:
        journal.record(session, "test", "set up", "test")
        session.execute(update(t.Allocation).values(limit=1), execution_options=CAPTURED)
    worker = Actor("contributor", run_id=run.id)
    with screen.begin() as session:
        mine = session.get_one(t.Run, run.id)
        opened = deposits.open_for_run(session, worker, mine, [{"path": "a", "nbytes": 10}])
        assert opened.reserved == run.reserved
    too_much = [{"path": "a", "nbytes": run.reserved + 1}]
    with pytest.raises(OverQuota), screen.begin() as session:
        deposits.open_for_run(session, worker, session.get_one(t.Run, run.id), too_much)
    with screen() as session:  # what it had is still its own: the notebook alone will fit
        assert session.scalars(select(t.Deposit.reserved).where(t.Deposit.state == "open")).one()


def test_results_of_an_image_that_left_while_it_ran_stay_and_do_not_say_where_it_is(
    screen: Sessions,
) -> None:
    run = running(screen)
    with screen.begin() as session:
        elsewhere(session, "out of sight")
    with screen.begin() as session:
        worker, mine = Actor("contributor", run_id=run.id), session.get_one(t.Run, run.id)
        opened = deposits.open_for_run(session, worker, mine, [{"path": "a", "nbytes": 10}])
        assert (opened.project.name, opened.dataset.path) == ("screen", "count-things")


def test_who_leaves_while_it_runs_changes_nothing_of_it(screen: Sessions) -> None:
    run = running(screen)
    with screen.begin() as session:
        leave(session)
    with screen.begin() as session:
        assert leases.renew(session, "one", [run.id]) == {run.id}
        worker = Actor("contributor", run_id=run.id)
        assert not runs.progress(session, worker, run.uid, runs.Told(1, 2, ""))


def test_the_worker_of_a_cancelled_run_is_told_to_stop_and_takes_no_output_in(
    screen: Sessions,
) -> None:
    run = running(screen)
    worker = Actor("contributor", run_id=run.id)
    with screen.begin() as session:
        runs.cancel(session, WHO, run.uid)
    with screen.begin() as session:
        assert runs.progress(session, worker, run.uid, runs.Told(1, 2, ""))
    with screen.begin() as session:
        leases.cancel(session, "one", run.id, "running")
    with screen.begin() as session, pytest.raises(Conflict, match="it takes no output"):
        deposits.open_for_run(session, worker, session.get_one(t.Run, run.id), [])
    assert run_of(screen, run.id).token_hash is None
    assert reserved(screen) == 0


def test_a_worker_lost_three_times_ends_the_run_with_each_time_told(screen: Sessions) -> None:
    (run_id,) = queued(screen)
    for attempt in (1, 2, 3):
        assert claimed(screen) == [run_id]
        with screen.begin() as session:
            states.move(session, run_id, "running")
            error = {"error": "WorkerDied", "message": f"it died, time {attempt}"}
            leases.requeue(session, "one", run_id, error)
    run = run_of(screen, run_id)
    assert (run.state, run.attempt, run.reserved) == ("failed", 3, 0)
    assert run.error["message"].endswith("it was tried 3 times")
    assert [one["message"] for one in run.error["history"]] == [
        f"it died, time {attempt}" for attempt in (1, 2, 3)
    ]
