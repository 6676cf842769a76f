"""How quickly what a saved search newly finds is noted and becomes runs: 10,000 at once.

As after a long night, or a changed search: all of it is new to one subscription. Beside it the same
rows are written bare, in the same transactions' size, without journal, rights or search.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import standing
from _databases import databases
from _harness import Bench
from sqlalchemy import text

from cid_server_ext.background.subscriber import PAGE, Subscriber
from cid_server_ext.core.subscriptions import following
from cid_server_ext.core.subscriptions.budget import Limits
from cid_server_ext.db.session import Sessions, migrate, open_database

IMAGES = int(10_000 * float(os.environ.get("CID_BENCH_SCALE", "1")))
PROJECT = "night"


def bare(sessions: Sessions, at_once: int) -> float:
    """Return the seconds that so many plain rows take, each transaction flushed to disk."""
    with sessions() as session:
        engine = session.connection().engine
    with engine.begin() as made:
        made.execute(text("CREATE TABLE bare (one INTEGER, other INTEGER, state VARCHAR(8))"))
    began = time.perf_counter()
    for start in range(0, IMAGES, at_once):
        rows = [{"n": n} for n in range(start, min(start + at_once, IMAGES))]
        with engine.begin() as made:
            made.execute(text("INSERT INTO bare VALUES (1, :n, 'waiting')"), rows)
    took = time.perf_counter() - began
    with engine.begin() as made:
        made.execute(text("DROP TABLE bare"))
    return took


def measured(bench: Bench, name: str, url: str) -> None:
    """Add the figures of one database."""
    migrate(url)
    sessions = open_database(url)
    standing.make(sessions, PROJECT, limit=10**15)
    uid = standing.subscribe(sessions, PROJECT, Limits(runs=IMAGES))
    for start in range(0, IMAGES, PAGE):
        names = [f"stack {n}" for n in range(start, min(start + PAGE, IMAGES))]
        with sessions.begin() as session:
            standing.arrive(session, PROJECT, names)
    with sessions() as session:  # as a database that has been at work for minutes
        session.execute(text("ANALYZE"))
        session.commit()
    plain = {at_once: bare(sessions, at_once) for at_once in (PAGE, following.AT_ONCE)}
    began = time.perf_counter()
    one = Subscriber(sessions, lambda: None)
    with sessions() as session:
        (number,) = following.unended(session)
    while True:
        with sessions() as session:
            ids = following.found(session, number, PAGE)
        if not ids:
            break
        with sessions.begin() as session:
            following.note(session, number, ids)
    noted = time.perf_counter() - began
    began = time.perf_counter()
    made = one.look()
    ran = time.perf_counter() - began
    one.close()
    assert made == IMAGES, made
    assert standing.counted(sessions, uid) == {"queued": IMAGES}
    for what, took, at_once in (
        ("matches noted", noted, PAGE),
        ("runs submitted", ran, following.AT_ONCE),
    ):
        peer = f"bare rows, {at_once} a commit"
        bench.speed(f"{name}: {what}", IMAGES / took, IMAGES / plain[at_once], "/s", peer, None)


def main() -> int:
    """Measure on both databases."""
    bench = Bench("subscriptions")
    with databases("subscriptions") as urls:
        for name, url in urls.items():
            measured(bench, name, url)
    return bench.finish()


if __name__ == "__main__":
    sys.exit(main())
