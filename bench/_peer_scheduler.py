"""Run by a Python that has jupyter-scheduler: execute one notebook alone, then many times.

`python _peer_scheduler.py FOLDER RUNS WORKERS` executes FOLDER/in.ipynb and writes scheduler.json:
the seconds of one job alone, and of RUNS jobs, WORKERS at a time, as nothing there limits them.
"""

import json
import statistics
import sys
import time
from pathlib import Path

from jupyter_scheduler.environments import StaticEnvironmentManager
from jupyter_scheduler.models import CreateJob
from jupyter_scheduler.orm import create_tables
from jupyter_scheduler.scheduler import Scheduler

ALONE = 3


def main(folder: Path, runs: int, workers: int) -> None:
    database = f"sqlite:///{folder}/scheduler.sqlite"
    create_tables(database)
    scheduler = Scheduler(str(folder), StaticEnvironmentManager(), database)
    alone = statistics.median(execute(scheduler, 1, 1) for _ in range(ALONE))
    many = execute(scheduler, runs, workers)
    told = {"made": 0.0, "seconds": [alone, many], "found": []}
    (folder / "scheduler.json").write_text(json.dumps(told))


def execute(scheduler: Scheduler, runs: int, workers: int) -> float:
    """Return the seconds from the first submit to the last end; all must have completed."""
    began, waiting, under_way, ended = time.perf_counter(), runs, [], []
    while waiting or under_way:
        while waiting and len(under_way) < workers:
            job = CreateJob(
                name="one cell",
                input_uri="in.ipynb",
                runtime_environment_name="python3",
                parameters={"n": waiting},
            )
            under_way.append(scheduler.create_job(job))
            waiting -= 1
        time.sleep(0.02)
        states = {uid: scheduler.get_job(uid, job_files=False).status for uid in under_way}
        assert "FAILED" not in states.values(), states  # one that has not begun says STOPPED
        ended += [uid for uid, state in states.items() if state == "COMPLETED"]
        under_way = [uid for uid in under_way if uid not in ended]
        assert time.perf_counter() < began + 60 * runs, states
    assert len(set(ended)) == runs
    return time.perf_counter() - began


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
