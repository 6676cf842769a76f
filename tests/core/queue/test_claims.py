"""Who comes next: teams by what they had, then priority, then the order of their submit."""

from __future__ import annotations

import datetime as dt
import heapq
import threading

import pytest
from queue_rows import claim, end, limit, more, team, wait
from sqlalchemy import event, text, update

from cid_server_ext.core.queue import claims, lanes, leases, shares
from cid_server_ext.core.runs import states
from cid_server_ext.db import clock
from cid_server_ext.db.session import open_database
from cid_server_ext.db.tables import Run, TeamUse

START = dt.datetime(2026, 11, 22, 20, 0, tzinfo=dt.UTC)


@pytest.fixture
def at(monkeypatch):
    """The database's time, as these tests set it."""
    now = [START]
    monkeypatch.setattr(clock, "now", lambda session: now[0])

    def later(seconds: float) -> None:
        now[0] = START + dt.timedelta(seconds=seconds)

    return later


@pytest.fixture
def on_sqlite(empty_database, tmp_path):
    """Sessions on an empty catalog; what decides is the same on the other database."""
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(empty_database)
    made = open_database(f"sqlite:///{path}")
    yield made
    made.kw["bind"].dispose()


def states_of(sessions, runs):
    with sessions() as session:
        return [session.get_one(Run, run.id).state for run in runs]


def test_a_claim_takes_no_more_than_its_cluster_can_begin_with(sessions):
    runs = wait(sessions, team(sessions, "a"), 9)
    got = claim(sessions)
    assert (len(got.runs), got.workers) == (4, 2)  # each worker has one, and one to go on with
    assert [run.id for run in got.runs] == [run.id for run in runs[:4]]
    assert claim(sessions) is None  # one lane has one cluster
    assert more(sessions, got, 3) == 3
    assert more(sessions, got, 30) == 2
    assert more(sessions, got, 30) == 0


def test_the_team_that_had_least_goes_first(sessions, at):
    a, b = team(sessions, "a"), team(sessions, "b")
    first, second, third = wait(sessions, a), wait(sessions, a), wait(sessions, b)
    assert claim(sessions).runs[0].id == first[0].id
    assert claim(sessions).runs[0].id == third[0].id
    with sessions.begin() as session:
        states.move_all(session, [first[0].id, third[0].id], "running")
    at(100)
    end(sessions, third[0].id)
    fourth = wait(sessions, b)
    at(500)
    end(sessions, first[0].id)  # a had 500 s, b 100 s
    assert claim(sessions).runs[0].id == fourth[0].id
    assert claim(sessions).runs[0].id == second[0].id


def test_what_a_team_had_fades(sessions, at):
    a, b = team(sessions, "a"), team(sessions, "b")
    (run,), (other,) = wait(sessions, a), wait(sessions, b)
    for seconds, number in ((0, run.id), (7200, other.id)):
        at(seconds)
        claim(sessions)
        with sessions.begin() as session:
            states.move_all(session, [number], "running")
        at(seconds + 1000)
        end(sessions, number)
    with sessions.begin() as session:
        had = shares.add_up(session, clock.now(session))
        assert session.query(TeamUse).count() == 2
        assert shares.used(session, clock.now(session)) == pytest.approx(had)
    assert had[2] == pytest.approx(1000)
    assert had[1] == pytest.approx(250)  # two hours later


def test_a_gpu_counts_as_many_cores():
    assert shares.weight({"cores": 2, "gpus": 1}, None) == 2 + shares.GPU_CORES
    assert shares.weight({"cores": 2, "gpus": 1}, False) == 2


def test_within_a_team_priority_comes_before_order(sessions):
    a = team(sessions, "a")
    late, first, urgent = wait(sessions, a, priority=-3), wait(sessions, a), wait(sessions, a)
    with sessions.begin() as session:
        changed = update(Run).where(Run.batch == urgent[0].batch).values(priority=5)
        session.connection().execute(changed)
    taken = [claim(sessions).runs[0].id for _ in range(3)]
    assert taken == [urgent[0].id, first[0].id, late[0].id]


def test_priority_takes_nothing_from_another_team(sessions):
    a, b = team(sessions, "a"), team(sessions, "b")
    mine, theirs = wait(sessions, a), wait(sessions, b)
    claim(sessions)
    urgent = wait(sessions, a, priority=10)
    taken = [claim(sessions).runs[0].id for _ in range(2)]
    assert taken == [theirs[0].id, urgent[0].id]
    assert states_of(sessions, mine) == ["starting"]


def test_a_batch_gives_its_place_away_when_another_team_had_less(sessions):
    a, b = team(sessions, "a"), team(sessions, "b")
    wait(sessions, a, 100)
    got = claim(sessions)
    assert more(sessions, got, 4) == 4  # nobody else waits
    wait(sessions, b, 100)
    with sessions() as session:
        assert not claims.offers(session, got.lane)
        assert claims.offers(session, got.lane, free=True)
    assert more(sessions, got, 4) == 0
    assert more(sessions, got, 1, free=True) == 1  # there is a place for b besides
    claim(sessions)
    assert more(sessions, got, 4) == 4  # b is under way


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"batches": 1}, "its team runs 1 of 1 clusters"),
        ({"runs": 2}, "its team runs 2 of 2 runs"),
        ({"person_batches": 1}, "a-person runs 1 of 1 clusters"),
        ({"person_runs": 2}, "a-person runs 2 of 2 runs"),
    ],
)
def test_what_a_team_may_have_at_a_time(sessions, limits, said):
    a = team(sessions, "a")
    limit(sessions, "a", **limits)
    wait(sessions, a, 2)
    (waits,) = wait(sessions, a)
    (other,) = wait(sessions, team(sessions, "b"))
    assert len(claim(sessions).runs) == 2
    assert claim(sessions).runs[0].id == other.id
    assert claim(sessions) is None
    with sessions() as session:
        assert lanes.look(session).blocked == {waits.lane: said}


def test_the_facilitys_limits_hold_where_a_team_has_none_of_its_own(sessions):
    a, b = team(sessions, "a"), team(sessions, "b")
    limit(sessions, None, runs=1)
    limit(sessions, "b", runs=3)
    wait(sessions, a, 5)
    wait(sessions, b, 5)
    assert sorted(len(claim(sessions).runs) for _ in range(2)) == [1, 3]


def test_what_is_paused_or_comes_later_is_left_alone(sessions):
    a = team(sessions, "a")
    wait(sessions, a, 2, paused=True)
    wait(sessions, a, not_before=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    assert claim(sessions) is None
    (run,) = wait(sessions, a, not_before=dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
    assert claim(sessions).runs[0].id == run.id


def test_images_for_gpus_and_the_others_of_one_batch_are_two_lanes(sessions):
    a = team(sessions, "a", gpus=1, workers=3)
    batch = "b" * 36
    large = wait(sessions, a, 2, batch=batch, gpu=True)
    small = wait(sessions, a, 3, batch=batch, gpu=False)
    got = [claim(sessions), claim(sessions)]
    assert [one.resources["gpus"] for one in got] == [1, 0]
    assert [{run.id for run in one.runs} for one in got] == [
        {run.id for run in large},
        {run.id for run in small},
    ]
    assert {one.batch for one in got} == {batch}


def test_four_conductors_keep_to_a_teams_limit(sessions):
    a = team(sessions, "a")
    limit(sessions, "a", batches=3)
    for _ in range(8):
        wait(sessions, a)
    together, got = threading.Barrier(4), []

    def conduct(name):
        together.wait()
        while (one := claim(sessions, name)) is not None:
            got.append(one)

    threads = [threading.Thread(target=conduct, args=(f"c{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 3
    assert len({one.lane for one in got}) == 3


def test_each_strike_is_told_and_the_third_is_the_last(sessions):
    (run,) = wait(sessions, team(sessions, "a"))
    for n in range(3):
        claim(sessions)
        with sessions.begin() as session:
            states.move(session, run.id, "running")
            error = {"error": "WorkerDied", "message": f"worker {n} died"}
            leases.requeue(session, "one", run.id, error)
        if n == 0:  # a conductor that stops is no strike
            claim(sessions)
            with sessions.begin() as session:
                leases.release(session, "one", [run.id])
    with sessions() as session:
        ended = session.get_one(Run, run.id)
    assert (ended.state, ended.attempt) == ("failed", 4)
    assert [one["message"] for one in ended.error["history"]] == [
        f"worker {n} died" for n in range(3)
    ]
    assert [one["attempt"] for one in ended.error["history"]] == [1, 3, 4]


def test_runs_of_a_conductor_that_is_known_to_be_dead_wait_for_no_lease(sessions):
    (run,) = wait(sessions, team(sessions, "a"))
    claim(sessions, "gone", seconds=600)
    with sessions.begin() as session:
        assert leases.drivers(session) == {"gone"}
        assert leases.abandoned(session) == []
        (left,) = leases.abandoned(session, {"gone"})
    assert left.runs == (run.id,)
    assert claim(sessions, "next").runs[0].attempt == 2


def simulated(sessions, at, seconds, places=2):
    """Return when each team's last run ended, of conductors with so many clusters of two workers.

    `seconds` say how long a run of each team lasts. Opening a cluster takes 8 s.
    """
    driven: dict[str, set[int]] = {}
    lasts, ends, events = {}, {}, []
    by_project = {team(sessions, name): name for name in seconds}
    for project, name in by_project.items():
        for run in wait(sessions, project, 50):
            lasts[run.id] = (name, seconds[name])
    taken: dict[str, claims.Claim] = {}
    queued: dict[str, list[int]] = {}
    busy: dict[str, int] = {}

    def feed(lane, now):
        while busy[lane] < 2 and queued[lane]:
            run = queued[lane].pop(0)
            with sessions.begin() as session:
                states.move_all(session, [run], "running")
            busy[lane] += 1
            heapq.heappush(events, (now + lasts[run][1], lane, run))

    def look(now):
        for lane in list(taken):
            wanted = 4 - len(driven[lane])
            with sessions.begin() as session:
                free = len(taken) < places
                got = claims.more(session, "one", lane, wanted, free=free) if wanted else ()
            driven[lane] |= {run.id for run in got}
            queued[lane] += [run.id for run in got]
            if now >= opened[lane]:
                feed(lane, now)
            if not driven[lane]:
                del taken[lane]
        while len(taken) < places and (got := claim(sessions)) is not None:
            taken[got.lane], driven[got.lane] = got, {run.id for run in got.runs}
            queued[got.lane], busy[got.lane] = [run.id for run in got.runs], 0
            opened[got.lane] = now + 8
            heapq.heappush(events, (now + 8, got.lane, 0))

    opened: dict[str, float] = {}
    now = 0.0
    look(now)
    while events:
        now, lane, run = heapq.heappop(events)
        at(now)
        if run:
            with sessions.begin() as session:
                states.move_all(session, [run], "committing")
                states.move_all(session, [run], "done")
            driven[lane].discard(run)
            busy[lane] -= 1
            ends[lasts[run][0]] = now
        look(now)
    assert len(ends) == len(seconds)
    return ends


def fair(seconds, workers=4, most=2):
    """Return when each team would end if the workers were shared evenly all the time.

    A team with one batch has one cluster, of `most` workers.
    """
    left, now, ends = {name: 50 * each for name, each in seconds.items()}, 0.0, {}
    while left:
        rate = min(most, workers / len(left))
        first = min(left.values()) / rate
        now += first
        left = {name: rest - first * rate for name, rest in left.items()}
        for name in [name for name, rest in left.items() if rest <= 1e-9]:
            ends[name] = now
            del left[name]
    return ends


@pytest.mark.parametrize(
    "seconds", [{"a": 60, "b": 60, "c": 60}, {"a": 30, "b": 120, "c": 300}], ids=["alike", "unlike"]
)
def test_three_teams_wait_no_longer_than_their_fair_share(on_sqlite, at, seconds):
    ends, best = simulated(on_sqlite, at, seconds), fair(seconds)
    waits = {name: ends[name] / best[name] for name in ends}
    assert max(waits.values()) <= 1.2, waits


def test_what_waits_is_found_by_its_index(sessions):
    wait(sessions, team(sessions, "a"), 3)
    told = []
    engine = sessions.kw["bind"]

    def explain(connection, cursor, statement, parameters, context, many):
        if "WITH RECURSIVE lanes" in statement and not told:
            told.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", explain)
    with sessions() as session:
        assert len(lanes.look(session).waiting) == 1
        statement, parameters = told[0]
        if engine.dialect.name == "sqlite":
            how = "EXPLAIN QUERY PLAN "
        else:
            session.execute(text("SET enable_seqscan = off"))  # three rows are read at once
            how = "EXPLAIN "
        plan = session.connection().exec_driver_sql(how + statement, parameters).all()
    event.remove(engine, "before_cursor_execute", explain)
    said = "\n".join(str(row) for row in plan)
    assert said.count("ix_run_waiting") >= 2, said
