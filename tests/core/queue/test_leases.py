"""Leases: one conductor a run, by the database's clock; a newer attempt ends the older's rights."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from run_rows import fill, queue, read
from sqlalchemy import update

from cid_server_ext.core import journal
from cid_server_ext.core.queue import claims, leases
from cid_server_ext.core.runs import states
from cid_server_ext.db.tables import Allocation, Dataset, Deposit, Run


@pytest.fixture
def catalog(sessions):
    return fill(sessions)


def claim(catalog, conductor="one", seconds=60.0):
    with catalog.begin() as session:
        return claims.claim(session, conductor, seconds)


def end_abandoned(catalog):
    with catalog.begin() as session:
        return leases.abandoned(session)


def let_the_lease_end(catalog, *run_ids):
    past = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    with catalog.begin() as session:
        session.execute(update(Run).where(Run.id.in_(run_ids)).values(lease_until=past))


def test_an_empty_queue_gives_nothing(catalog):
    assert claim(catalog) is None


def test_the_oldest_batch_comes_first_and_whole(catalog):
    first, second = queue(catalog, 3), queue(catalog, 2)
    got = claim(catalog)
    assert [run.id for run in got.runs] == [run.id for run in first]
    assert (got.batch, got.person, got.resources["workers"]) == (first[0].batch, "researcher", 2)
    assert {run.attempt for run in got.runs} == {1}
    assert [run.id for run in claim(catalog).runs] == [run.id for run in second]
    assert claim(catalog) is None


def test_two_conductors_never_get_the_same_run(catalog):
    expected = sorted(run.id for _ in range(12) for run in queue(catalog, 3))
    taken: list[int] = []
    together = threading.Barrier(4)

    def conduct(name):
        together.wait()
        while (got := claim(catalog, name)) is not None:
            taken.extend(run.id for run in got.runs)

    threads = [threading.Thread(target=conduct, args=(f"c{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == expected


def test_a_lease_is_renewed_only_by_who_holds_it(catalog):
    runs = queue(catalog, 2)
    claim(catalog, "one", seconds=5)
    before = read(catalog, runs[0].id).lease_until
    ids = [run.id for run in runs]
    with catalog.begin() as session:
        assert leases.renew(session, "two", ids) == set()
        assert leases.renew(session, "one", ids, 600) == set(ids)
    assert read(catalog, runs[0].id).lease_until > before + dt.timedelta(minutes=5)


def test_a_run_that_ended_is_not_renewed(catalog):
    (run,) = queue(catalog)
    claim(catalog)
    with catalog.begin() as session:
        states.move(session, run.id, "cancelled")
        assert leases.renew(session, "one", [run.id]) == set()
        assert leases.ended(session, [run.id]) == {run.id}


def test_attach_needs_the_lease(catalog):
    (run,) = queue(catalog)
    claim(catalog, "one")
    with catalog.begin() as session:
        assert leases.attach(session, "one", "cluster-1", {run.id: "a" * 64}) == {run.id}
        assert leases.live_clusters(session) == {"cluster-1"}
        assert leases.attach(session, "two", "cluster-2", {run.id: "b" * 64}) == set()
    assert read(catalog, run.id).token_hash == "a" * 64


def test_an_ended_lease_sends_the_run_back_and_its_token_is_dead(catalog):
    (run,) = queue(catalog)
    claim(catalog, "one")
    with catalog.begin() as session:
        leases.attach(session, "one", "cluster-1", {run.id: "a" * 64})
    assert end_abandoned(catalog) == []
    let_the_lease_end(catalog, run.id)
    assert end_abandoned(catalog) == [leases.Abandoned("cluster-1", (run.id,))]
    again = read(catalog, run.id)
    assert (again.state, again.token_hash, again.cluster) == ("queued", None, None)
    assert claim(catalog, "two").runs[0].attempt == 2
    with catalog.begin() as session:
        assert leases.attach(session, "two", "cluster-2", {run.id: "b" * 64}) == {run.id}
        assert leases.attach(session, "one", "cluster-1", {run.id: "a" * 64}) == set()
        leases.fail(session, "one", run.id, {"error": "Late", "message": "the older attempt"})
    assert (read(catalog, run.id).state, read(catalog, run.id).token_hash) == (
        "starting",
        "b" * 64,
    )


def test_after_three_attempts_the_run_has_failed_with_the_reason(catalog):
    (run,) = queue(catalog)
    for _ in range(3):
        claim(catalog)
        begin(catalog, run.id)
        let_the_lease_end(catalog, run.id)
        end_abandoned(catalog)
    failed = read(catalog, run.id)
    assert (failed.state, failed.attempt) == ("failed", 3)
    assert "stopped answering; it was tried 3 times" in failed.error["message"]
    with catalog() as session:
        assert session.get_one(Allocation, 1).reserved == 0


def test_a_run_that_is_committing_is_not_abandoned(catalog):
    (run,) = queue(catalog)
    claim(catalog)
    with catalog.begin() as session:
        states.move(session, run.id, "running")
        states.move(session, run.id, "committing")
    let_the_lease_end(catalog, run.id)
    assert end_abandoned(catalog) == []


def test_an_abandoned_run_that_was_to_be_cancelled_is_cancelled(catalog):
    (run,) = queue(catalog)
    claim(catalog)
    with catalog.begin() as session:
        session.execute(update(Run).values(cancel_asked=True))
        assert leases.wanted_cancelled(session, "one") == {run.id: "starting"}
        assert leases.wanted_cancelled(session, "two") == {}
    let_the_lease_end(catalog, run.id)
    end_abandoned(catalog)
    assert read(catalog, run.id).state == "cancelled"


def test_a_conductor_that_stops_gives_its_runs_back_however_often(catalog):
    (run,) = queue(catalog)
    for attempt in range(1, 6):
        assert claim(catalog).runs[0].attempt == attempt
        with catalog.begin() as session:
            leases.release(session, "one", [run.id])
        assert read(catalog, run.id).state == "queued"


def test_a_dead_worker_is_tried_again_then_failed(catalog):
    (run,) = queue(catalog)
    found = []
    for _ in range(3):
        claim(catalog)
        begin(catalog, run.id)
        with catalog.begin() as session:
            error = {"error": "WorkerDied", "message": "its worker ended"}
            leases.requeue(session, "one", run.id, error)
        found.append(read(catalog, run.id).state)
    assert found == ["queued", "queued", "failed"]


def test_a_run_that_only_waited_has_no_part_in_what_died(catalog):
    (run,) = queue(catalog)
    error = {"error": "WorkerDied", "message": "it ended"}
    for _ in range(leases.UNBEGUN):
        assert read(catalog, run.id).state == "queued"
        claim(catalog)
        with catalog.begin() as session:
            leases.requeue(session, "one", run.id, error)
    failed = read(catalog, run.id)  # not for ever: nobody would learn why it never begins
    assert failed.state == "failed"
    assert failed.error["message"] == "it ended; it was tried 10 times"
    assert [strike["own"] for strike in failed.error["history"]] == [False] * 10


def begin(catalog, run_id):
    """Let a run say its first word."""
    with catalog.begin() as session:
        states.move(session, run_id, "running")


def test_the_last_error_is_forgotten_when_the_run_starts_again(catalog):
    (run,) = queue(catalog)
    claim(catalog)
    with catalog.begin() as session:
        leases.requeue(session, "one", run.id, {"error": "WorkerDied", "message": "gone"})
    assert read(catalog, run.id).error["error"] == "WorkerDied"
    claim(catalog)
    assert read(catalog, run.id).error is None


def test_a_run_whose_commit_nobody_finishes_has_failed(catalog):
    lost, going = queue(catalog, 2, state="committing")
    with catalog.begin() as session:
        now = states.database_now(session)
        dataset = Dataset(project_id=1, path="results")
        session.add(dataset)
        session.flush()
        session.add(
            Deposit(
                project_id=1,
                dataset_id=dataset.id,
                kind="run",
                state="importing",
                person="researcher",
                run_id=going.id,
                declared=[],
                reserved=0,
                expires_at=now,
            )
        )
        journal.record(session, "test", "set up", "test")
    for expected in ([lost.id], []):
        with catalog.begin() as session:
            assert leases.fail_uncommitted(session) == expected
    assert (read(catalog, lost.id).state, read(catalog, going.id).state) == ("failed", "committing")
    assert "run it again" in read(catalog, lost.id).error["message"]


def attach(catalog, cluster, *run_ids):
    with catalog.begin() as session:
        leases.attach(session, "one", cluster, {run: f"{run}".zfill(64) for run in run_ids})


def test_what_a_conductor_left_running_is_adopted_once_and_keeps_its_token(catalog):
    runs = queue(catalog, 2)
    claim(catalog)
    attach(catalog, "cluster-1", *(run.id for run in runs))
    before = read(catalog, runs[0].id).token_hash
    with catalog.begin() as session:
        assert leases.left_behind(session) == set()
        assert leases.adopt(session, "two", "cluster-1") is None
        leases.hand_over(session, "one", [run.id for run in runs])
        assert leases.left_behind(session) == {"cluster-1"}
        assert leases.abandoned(session, {"one"}) == []  # somebody may still come
        assert leases.adopt(session, "two", "another cluster") is None
        taken = leases.adopt(session, "two", "cluster-1")
        assert [run.id for run in taken.runs] == [run.id for run in runs]
        assert taken.lane == ""
        assert leases.adopt(session, "three", "cluster-1") is None
        assert leases.renew(session, "two", [run.id for run in runs]) == {run.id for run in runs}
    adopted = read(catalog, runs[0].id)
    assert (adopted.token_hash, adopted.attempt, adopted.state) == (before, 1, "starting")


@pytest.mark.parametrize("how", ["killed", "silent"])
def test_the_runs_of_a_dead_conductor_are_adopted_by_whoever_knows_it(catalog, how):
    (run,) = queue(catalog)
    claim(catalog)
    attach(catalog, "cluster-1", run.id)
    if how == "silent":
        let_the_lease_end(catalog, run.id)
    dead = {"one"} if how == "killed" else set()
    with catalog.begin() as session:
        assert leases.left_behind(session, dead) == {"cluster-1"}
        assert leases.adopt(session, "two", "cluster-1", dead).runs[0].id == run.id


@pytest.mark.parametrize("how", ["its time ended", "its cluster is gone"])
def test_what_was_handed_over_and_nobody_took_is_queued_without_a_strike(catalog, how):
    (run,) = queue(catalog)
    claim(catalog)
    attach(catalog, "cluster-1", run.id)
    begin(catalog, run.id)
    with catalog.begin() as session:
        leases.hand_over(session, "one", [run.id])
    if how == "its time ended":
        let_the_lease_end(catalog, run.id)
        assert [left.runs for left in end_abandoned(catalog)] == [(run.id,)]
    else:
        with catalog.begin() as session:
            leases.take_back(session, "cluster-1")
    queued = read(catalog, run.id)
    assert (queued.state, queued.strikes, queued.token_hash) == ("queued", [], None)
