"""What the conductor does when clusters, workers or the database do not behave."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from processes import wait_until
from run_rows import fill, queue, read
from sqlalchemy import select, update

from cid_server_ext.core.queue import beats, claims, leases
from cid_server_ext.core.runs import states
from cid_server_ext.db.tables import Run
from cid_server_ext.errors import BadInput, Unavailable
from cid_server_ext.runners import drive, orphans, versions
from cid_server_ext.runners.clusters import Lost
from cid_server_ext.runners.conductor import Conductor
from cid_server_ext.runners.means import Means


@dataclass
class Pretended:
    """A cluster, and its own source, that fails where it is told to."""

    name: str = "cluster-1"
    opening: Exception | None = None
    starting: Exception | None = None
    answer: Exception | dict | None = None  # what a task ends with; None: it never ends
    mine: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    there: int = 1
    environment: dict[str, str] = field(default_factory=dict)
    cancelled: int = 0
    fails_to_close: int = 0
    asked: int = 0
    opened: int = 0
    left: int = 0
    last: bool = False
    keys: list[str] = field(default_factory=list)
    other: dict[str, str] = field(default_factory=dict)

    def open(self, environment, workers, resources):
        self.opened += 1
        if self.opening is not None:
            raise self.opening
        self.environment = dict(environment)
        self.mine.append(self.name)
        return self

    def wait(self):
        if self.starting is not None:
            raise self.starting

    def submit(self, key, function, *args):
        self.keys.append(key)
        return self

    def found(self, key):
        self.keys.append(key)
        return self

    def leave(self):
        self.left += 1

    def adopt(self, name):
        return self

    def workers(self):
        return self.there

    def versions(self):
        return versions.mine() | self.other

    def grow(self, workers):
        self.asked = workers

    def close(self):
        if self.fails_to_close:
            self.fails_to_close -= 1
            raise OSError("the gateway is busy")
        self.stop(self.name)

    def list_mine(self):
        return list(self.mine)

    def stop(self, name):
        self.stopped.append(name)
        if name in self.mine:
            self.mine.remove(name)

    @property
    def ended(self):
        return self.answer is not None

    def result(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def cancel(self):
        self.cancelled += 1


@pytest.fixture
def catalog(sessions):
    return fill(sessions)


@pytest.fixture
def conduct(catalog):
    started = []

    def start(clusters, **how):
        conductor = Conductor(Means(catalog, clusters, "http://x/", "me", poll=0.05), **how)
        thread = threading.Thread(target=conductor.run)
        thread.start()
        started.append((conductor, thread))
        return conductor

    yield start
    for conductor, thread in started:
        conductor.stop()
        thread.join(60)
        assert not thread.is_alive()


def reaches(catalog, run, state, seconds=60):
    wait_until(lambda: read(catalog, run.id).state == state, seconds, f"run {state}")
    return read(catalog, run.id)


def test_a_conductor_says_that_it_works_and_that_it_stops(catalog, conduct):
    def told():
        with catalog() as session:
            return [(one.conductor, one.seen_at > one.since) for one in beats.known(session)]

    conductor = conduct(Pretended(), lease=1)
    wait_until(lambda: told() == [("me", True)], what="a sign of life, and another")
    conductor.stop()
    wait_until(lambda: told() == [], what="its last word")


def test_a_gateway_that_does_not_answer_costs_the_run_no_attempt(catalog, conduct):
    (run,) = queue(catalog)
    clusters = Pretended(opening=Unavailable("nobody there"))
    conduct(clusters)
    wait_until(lambda: clusters.opened > 1)
    waiting = reaches(catalog, run, "queued")
    assert waiting.error is None
    assert not waiting.strikes
    assert waiting.token_hash is None


def test_resources_that_the_gateway_refuses_fail_the_run_with_the_reason(catalog, conduct):
    (run,) = queue(catalog)
    conduct(Pretended(opening=BadInput("900 GiB is too much")))
    failed = reaches(catalog, run, "failed")
    assert failed.error == {"error": "BadInput", "message": "900 GiB is too much"}


def test_a_scheduler_of_another_release_fails_the_run_at_once(catalog, conduct):
    (run,) = queue(catalog)
    clusters = Pretended(other={"dask": "2020.1.0"})
    conduct(clusters)
    failed = reaches(catalog, run, "failed")
    assert (failed.attempt, failed.error["error"]) == (1, "EnvironmentDiffers")
    ours = versions.mine()["dask"]
    said = f"the scheduler has dask 2020.1.0 instead of {ours}: tell staff"
    assert failed.error["message"].startswith(said)
    wait_until(lambda: clusters.mine == [])


def test_a_cluster_that_never_starts_is_tried_three_times_and_closed_each_time(catalog, conduct):
    (run,) = queue(catalog)
    clusters = Pretended(starting=Lost("it did not start"))
    conduct(clusters)
    failed = reaches(catalog, run, "failed")
    assert failed.attempt == 3
    assert failed.error["error"] == "ClusterLost"
    wait_until(lambda: clusters.mine == [])
    assert len(clusters.stopped) == 3


def test_a_cluster_without_workers_is_given_up(catalog, conduct, monkeypatch):
    monkeypatch.setattr(drive, "WORKER_SECONDS", 0.3)
    (run,) = queue(catalog)
    conduct(Pretended(there=0))
    assert "no worker came" in reaches(catalog, run, "failed").error["message"]


def test_an_error_of_ours_still_closes_the_cluster(catalog, conduct):
    (run,) = queue(catalog)
    clusters = Pretended(starting=ZeroDivisionError("our mistake"))
    conduct(clusters)
    assert reaches(catalog, run, "failed").error["error"] == "ConductorError"
    wait_until(lambda: clusters.mine == [])


def test_a_cluster_that_does_not_close_is_tried_again(catalog, conduct, monkeypatch):
    monkeypatch.setattr(drive, "CLOSE_TRIES", (0.0, 0.05, 0.1))
    (run,) = queue(catalog)
    clusters = Pretended(answer=ValueError("x"), fails_to_close=2)
    conduct(clusters)
    reaches(catalog, run, "failed")
    wait_until(lambda: clusters.mine == [])


@pytest.mark.parametrize(
    ("answer", "state", "error"),
    [
        (ModuleNotFoundError("No module named 'x'"), "failed", "ModuleNotFoundError"),
        ({"state": "ended"}, "failed", "NoResult"),
        ({"state": "refused", "error": "OverQuota", "message": "full"}, "failed", "OverQuota"),
        (Lost("the worker died"), "queued", "WorkerDied"),
        ({"state": "lost", "error": "Unavailable", "message": "gone"}, "queued", "Unavailable"),
    ],
)
def test_each_end_of_a_task_is_judged(catalog, conduct, answer, state, error):
    (run,) = queue(catalog)
    clusters = Pretended(answer=answer)
    conductor = conduct(clusters, batches=1)
    if state == "queued":  # it would be taken again at once
        wait_until(lambda: read(catalog, run.id).attempt == 3)
        state = "failed"
    ended = reaches(catalog, run, state)
    assert ended.error["error"] == error
    conductor.stop()


def test_a_run_that_the_catalog_has_ended_is_left_alone(catalog, conduct, monkeypatch):
    monkeypatch.setattr(drive, "TIDY_SECONDS", 0.2)
    (run,) = queue(catalog)
    clusters = Pretended()
    conduct(clusters)
    wait_until(lambda: read(catalog, run.id).token_hash)
    with catalog.begin() as session:
        for state in ("running", "committing", "done"):
            states.move(session, run.id, state)
    wait_until(lambda: clusters.mine == [], what="the cluster is closed")
    assert read(catalog, run.id).state == "done"


def test_a_running_run_that_ignores_a_cancel_is_ended_for_it(catalog, conduct, monkeypatch):
    monkeypatch.setattr(drive, "CANCEL_SECONDS", 0.3)
    monkeypatch.setattr(drive, "TIDY_SECONDS", 0.2)
    (run,) = queue(catalog)
    clusters = Pretended()
    conduct(clusters)
    wait_until(lambda: read(catalog, run.id).token_hash)
    with catalog.begin() as session:
        states.move(session, run.id, "running")
        session.execute(update(Run).values(cancel_asked=True))
    assert reaches(catalog, run, "cancelled").token_hash is None
    wait_until(lambda: clusters.mine == [])
    assert clusters.cancelled == 1


def test_a_cancel_is_heard_while_the_cluster_is_on_its_way(catalog, conduct):
    (run,) = queue(catalog)
    clusters = Pretended()
    stopped = threading.Event()

    def wait():
        stopped.wait(60)
        raise Lost("it was stopped")

    def stop(name):
        clusters.stopped.append(name)
        stopped.set()

    clusters.wait, clusters.stop = wait, stop
    conduct(clusters)
    wait_until(lambda: read(catalog, run.id).token_hash)
    with catalog.begin() as session:
        session.execute(update(Run).values(cancel_asked=True))
    assert reaches(catalog, run, "cancelled").attempt == 1
    assert stopped.wait(60)


def test_a_run_may_end_in_the_moment_in_which_it_is_given_back(catalog, monkeypatch):
    queue(catalog, 3)
    with catalog.begin() as session:
        claim = claims.claim(session, "me", 60)
    driven = drive.Drive(claim, Means(catalog, Pretended(), "http://x/", "me"), threading.Event())

    def released(session, conductor, runs):
        for run in runs:
            driven._forget(driven._left[run])

    monkeypatch.setattr(leases, "release", released)
    assert driven.left
    driven.give_back()
    assert driven.left == []


def test_the_key_is_in_the_clusters_environment_and_its_tokens_hash_in_the_row(catalog, conduct):
    from cid_server_ext.runners.tokens import hash_token, token_for

    (run,) = queue(catalog)
    clusters = Pretended()
    conduct(clusters)
    found = wait_until(lambda: read(catalog, run.id).token_hash)
    assert clusters.environment.keys() == {"CID_URL", "CID_RUN_KEY"}
    assert found == hash_token(token_for(clusters.environment["CID_RUN_KEY"], run.uid, 1))


def test_the_lease_is_renewed_while_the_run_lasts(catalog, conduct):
    (run,) = queue(catalog)
    conduct(Pretended(), lease=12)
    first = wait_until(lambda: read(catalog, run.id).lease_until)
    wait_until(lambda: read(catalog, run.id).lease_until > first, what="a renewed lease")
    assert read(catalog, run.id).attempt == 1


def test_a_large_batch_is_taken_piece_by_piece_by_one_cluster(catalog, conduct):
    runs = queue(catalog, 9)
    clusters = Pretended(answer=ValueError("x"))
    conduct(clusters)
    for run in runs:
        assert reaches(catalog, run, "failed").attempt == 1
    wait_until(lambda: clusters.mine == [])
    assert clusters.stopped == ["cluster-1"]


def test_a_cluster_grows_when_more_of_its_batch_may_run(catalog, conduct):
    first, *others = queue(catalog, 3)
    pause = update(Run).where(Run.id != first.id)
    with catalog.begin() as session:
        session.connection().execute(pause.values(paused=True))
    clusters = Pretended()
    conduct(clusters)
    wait_until(lambda: read(catalog, first.id).token_hash)
    with catalog.begin() as session:
        session.connection().execute(pause.values(paused=False))
    for run in others:
        assert reaches(catalog, run, "starting").cluster in (None, "cluster-1")
    wait_until(lambda: clusters.asked == 2, what="the template's two workers")
    assert clusters.mine == ["cluster-1"]


def test_clusters_of_an_earlier_life_are_stopped_but_not_those_in_use(
    catalog, conduct, monkeypatch
):
    monkeypatch.setattr(orphans, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(orphans, "UNUSED_SECONDS", 0.1)
    queue(catalog)
    with catalog.begin() as session:
        (run,) = claims.claim(session, "somebody else", 600).runs
        leases.attach(session, "somebody else", "in use", {run.id: "a" * 64})
    clusters = Pretended(mine=["left over", "in use"])
    conduct(clusters)
    wait_until(lambda: clusters.mine == ["in use"])
    assert clusters.stopped == ["left over"]


def test_the_cluster_of_a_silent_conductor_is_stopped_and_its_run_taken_over(catalog, conduct):
    (run,) = queue(catalog)
    with catalog.begin() as session:
        claims.claim(session, "silent", -1)
        leases.attach(session, "silent", "its cluster", {run.id: "a" * 64})
    clusters = Pretended(name="mine")
    conduct(clusters)
    wait_until(lambda: read(catalog, run.id).cluster == "mine")
    assert "its cluster" in clusters.stopped
    assert read(catalog, run.id).token_hash != "a" * 64


def test_a_gateway_that_is_away_when_workers_are_asked_for_costs_no_run(
    catalog, conduct, monkeypatch
):
    monkeypatch.setattr(drive, "TIDY_SECONDS", 0.1)
    queue(catalog, 3)
    clusters = Pretended()
    asked = threading.Event()

    def grow(workers):
        asked.set()
        raise OSError("connection refused")

    clusters.grow = grow
    conduct(clusters)
    first = wait_until(lambda: running_of(catalog), what="three are on their way")
    with catalog.begin() as session:  # two of three are over: fewer workers will do
        for run in first[:2]:
            for state in ("running", "committing", "done"):
                states.move(session, run.id, state)
    assert asked.wait(60)
    left = read(catalog, first[2].id)
    assert (left.state, left.strikes) == ("starting", [])


def running_of(catalog):
    with catalog() as session:
        runs = session.scalars(select(Run).order_by(Run.id)).all()
    return runs if all(run.token_hash for run in runs) else None
