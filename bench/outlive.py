"""What a batch of 50 images survives: ten kills -9 of each part, at moments that a seed chooses.

A moment is a number of steps that the batch's runs have taken, not a time. Each part has a facility
of its own: catalog, Dask Gateway and two conductors as processes. The table counts: every image
exactly once, its state right, nothing left over 60 s later. `python bench/outlive.py kernel worker`
does some of them; CID_BENCH_SCALE makes the batch smaller, CID_BENCH_DATABASE=postgresql uses one.
"""

from __future__ import annotations

import collections
import os
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import postgres
from _harness import Bench
from _hub import hub_in
from outlive import GIVEN_UP, TARGETS, Facility, facility_in
from processes import wait_until
from sqlalchemy import func, select

from cid_server_ext.db import tables as t
from cid_server_ext.db.session import migrate

SEED = 20261122
SCALE = float(os.environ.get("CID_BENCH_SCALE", "1"))
IMAGES = max(4, int(50 * SCALE))
MOMENTS = max(2, int(10 * SCALE))
STEPS = 4  # of one run: starting, running, committing, done
HOURS = 1800.0  # seconds that a batch may take
MILLISECONDS = 400  # that a notebook takes at least


def steps(facility: Facility, batch: str) -> int:
    """Return how many steps the batch's runs have taken."""
    subjects = [f"run:{run.uid}" for run in facility.runs(batch)]
    taken = select(func.count()).where(t.Journal.subject.in_(subjects))
    with facility.sessions() as session:
        return int(session.scalar(taken.where(t.Journal.action.like("run %"))) or 0)


def survive(
    target: str, url: str, folder: Path, server: postgres.Postgres | None
) -> tuple[list[str], collections.Counter[str]]:
    """Kill the target at each moment of a batch; return what was wrong then, and what became."""
    pick = random.Random(f"{SEED} {target}")
    moments = sorted(pick.sample(range(2, IMAGES * STEPS - STEPS), MOMENTS))
    count: collections.Counter[str] = collections.Counter()
    struck: set[str] = set()
    made = hub_in(folder) if target == "hub" else facility_in(folder, url, server=server)
    with made as facility:
        batch = facility.submit(IMAGES, MILLISECONDS)

        def struck_now(moment: int) -> bool:
            if facility.ended(batch):
                return True
            if steps(facility, batch) < moment:
                return False
            try:
                run = facility.kill(target)
            except LookupError:  # none at this moment: as soon as there is one
                return False
            count["kills"] += 1
            if target == "kernel" and run is not None:
                struck.add(run)
            return True

        for moment in moments:
            wait_until(lambda moment=moment: struck_now(moment), HOURS, f"{target} at {moment}")
        wait_until(lambda: facility.ended(batch), HOURS, "the batch ends")
        ended = time.monotonic()
        wrong = facility.left()
        count["seconds to nothing left"] = round(time.monotonic() - ended)
        wrong += facility.wrong(batch, struck)
        for run in facility.runs(batch):
            count[run.state] += 1
            count["tried again"] += run.attempt > 1
            count["given up"] += bool(run.error) and run.error["error"] in GIVEN_UP
    return wrong, count


def main(chosen: list[str]) -> int:
    """Kill each part in turn and print what came of it."""
    bench = Bench("outlive")
    server = None
    if os.environ.get("CID_BENCH_DATABASE") == "postgresql":
        server = postgres.start("shared_buffers=32MB")  # keeps what it said it has, when killed
    failed = False
    for target in chosen or [*TARGETS, "hub", *(["database"] if server else [])]:
        with tempfile.TemporaryDirectory(prefix="cid-outlive-") as name:
            folder = Path(name)
            url = f"sqlite:///{folder}/catalog.sqlite"
            url = postgres.copy(server, "template1") if server else url
            migrate(url)
            wrong, count = survive(target, url, folder, server)
        right = IMAGES if not wrong else max(0, IMAGES - len(wrong))
        bench.speed(f"{target}: images once", right, IMAGES, "", "images", 1.0)
        print("  " + ", ".join(f"{what} {number}" for what, number in count.items()))
        for sentence in wrong:
            print(f"  WRONG {sentence}")
        failed = failed or bool(wrong)
    if server is not None:
        postgres.stop(server)
    return bench.finish() or int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
