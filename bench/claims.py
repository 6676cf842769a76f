"""The queue without a kernel: how long a claim takes, how many states change a minute.

Runs of three teams wait in batches, beside many that are over. Four conductors claim them, attach
them and move them to their end, a hundred at a time; then each state by a transaction of its own,
as workers report. Beside it the same rows are changed bare, without journal, rights or fair shares.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "core" / "queue"))

import queue_rows
from _databases import databases
from _harness import Bench
from sqlalchemy import text

from cid_server_ext.core import journal
from cid_server_ext.core.queue import claims, leases, wake
from cid_server_ext.core.runs import states
from cid_server_ext.db.session import Sessions, migrate, open_database
from cid_server_ext.runners.bell import Bell

SCALE = float(os.environ.get("CID_BENCH_SCALE", "1"))
RUNS = max(800, int(6_000 * SCALE))
BATCHES = 60
OVER = int(20_000 * SCALE)  # runs that ended before
CONDUCTORS = 4
AT_ONCE = 100
WAKES = 40
TEAMS = ("cells", "fish", "yeast")


def fill(sessions: Sessions) -> None:
    """Let three teams wait with many batches, after many runs that are over."""
    for name in TEAMS:
        project = queue_rows.team(sessions, name, workers=8)
        queue_rows.wait(sessions, project, OVER // len(TEAMS), state="done")
        for _ in range(BATCHES // len(TEAMS)):
            queue_rows.wait(sessions, project, RUNS // BATCHES)
    with sessions() as session:
        session.execute(text("ANALYZE"))
        session.commit()


def conduct(sessions: Sessions, name: str, took: list[float], moved: list[int]) -> None:
    """Claim, attach and end runs until none waits; note how long claims took, what was moved."""
    while True:
        began = time.perf_counter()
        with sessions.begin() as session:
            claim = claims.claim(session, name, most=AT_ONCE)
        if claim is None:
            return
        with sessions.begin() as session:
            hashes = {run.id: f"{run.id:064x}" for run in claim.runs}
            leases.attach(session, name, f"cluster of {name}", hashes)
        took.append(time.perf_counter() - began)
        ids = list(hashes)
        for state in ("running", "committing", "done"):
            with sessions.begin() as session:
                ids = states.move_all(session, ids, state)
        moved.append(4 * len(ids))


def together(sessions: Sessions) -> tuple[list[float], float, int]:
    """Return the seconds of each claim, those of all, and how many states changed."""
    took: list[float] = []
    moved: list[int] = []
    threads = [
        threading.Thread(target=conduct, args=(sessions, f"c{n}", took, moved))
        for n in range(CONDUCTORS)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(took), time.perf_counter() - began, sum(moved)


def one_by_one(sessions: Sessions, runs: int) -> float:
    """Return how many states a second change when each has a transaction of its own."""
    rows = queue_rows.wait(sessions, 1, runs)
    began = time.perf_counter()
    with sessions.begin() as session:
        claims.claim(session, "one", most=runs)
    for row in rows:
        for state in ("running", "committing", "done"):
            with sessions.begin() as session:
                states.move(session, row.id, state)
    return 3 * runs / (time.perf_counter() - began)


def bare(sessions: Sessions, runs: int) -> float:
    """Return how many states of plain rows change a second, a transaction each."""
    engine = sessions.kw["bind"]
    with engine.begin() as made:
        made.execute(text("CREATE TABLE bare (id INTEGER PRIMARY KEY, state VARCHAR(12))"))
        rows = [{"id": n} for n in range(runs)]
        made.execute(text("INSERT INTO bare VALUES (:id, 'queued')"), rows)
    began = time.perf_counter()
    for row in rows:
        for state in ("running", "committing", "done"):
            with engine.begin() as made:
                said = text("UPDATE bare SET state = :state WHERE id = :id")
                made.execute(said, {"state": state, "id": row["id"]})
    return 3 * runs / (time.perf_counter() - began)


def woken(sessions: Sessions) -> list[float]:
    """Return the seconds from the commit of a submit until a conductor has claimed it."""
    bell, took = Bell(sessions, 1.0), []
    try:
        for _ in range(WAKES):
            claimed = threading.Event()

            def conduct(claimed: threading.Event = claimed) -> None:
                while not claimed.is_set():
                    bell.wait()
                    with sessions.begin() as session:
                        if claims.claim(session, "woken") is not None:
                            claimed.set()

            thread = threading.Thread(target=conduct)
            thread.start()
            time.sleep(0.05)  # it listens by then
            (run,) = queue_rows.wait(sessions, 1)
            began = time.perf_counter()
            with sessions.begin() as session:
                journal.record(session, "bench", "submit run", f"run:{run.uid}")
                wake.call(session)
            thread.join()
            took.append(time.perf_counter() - began)
            with sessions.begin() as session:
                states.move_all(session, [run.id], "cancelled")
    finally:
        bell.close()
    return sorted(took)


def p95(sorted_seconds: list[float]) -> float:
    """Return the time that one in twenty exceeds."""
    return sorted_seconds[min(len(sorted_seconds) - 1, round(0.95 * len(sorted_seconds)))]


def main() -> int:
    """Measure on both databases."""
    bench = Bench("claims")
    with databases("claims") as urls:
        for kind, url in urls.items():
            migrate(url)
            sessions = open_database(url)
            fill(sessions)
            took, seconds, moved = together(sessions)
            one_each = max(50, RUNS // 60)
            single, plain = one_by_one(sessions, one_each), bare(sessions, one_each)
            waits = woken(sessions)
            limit = "limit"
            median = statistics.median(took)
            bench.seconds(f"{kind}: a claim of 100, median", median, 1.0, limit, None)
            bar = None if kind == "sqlite" else 1.0  # there a claim waits for other writers
            bench.seconds(f"{kind}: a claim of 100, p95", p95(took), 1.0, limit, bar)
            bench.seconds(f"{kind}: from submit to claim, p95", p95(waits), 1.0, limit, 1.0)
            rate, wanted = 60 * moved / seconds, 10_000
            bench.speed(
                f"{kind}: states, {CONDUCTORS} conductors", rate, wanted, "/min", limit, 1.0
            )
            bench.speed(
                f"{kind}: states, each alone", 60 * single, 60 * plain, "/min", "bare rows", None
            )
            sessions.kw["bind"].dispose()
    return bench.finish()


if __name__ == "__main__":
    sys.exit(main())
