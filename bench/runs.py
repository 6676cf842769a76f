"""What runs cost beside papermill, nbclient and jupyter-scheduler: cells, one, many, the first.

CID_BENCH_RUNS: how many one-cell runs two workers execute (default 1,000).
"""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import logging
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import _peers
import nbformat
from _conducted import ONE_CELL, ended, house, submit, template
from _harness import Bench, interleaved

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from books import book
from house import House

from cid_server_ext.runners import environ, notebook
from cid_server_ext.runners.local import LocalClusters
from cid_server_ext.runners.watch import Watch

RUNS = int(os.environ.get("CID_BENCH_RUNS", "1000"))
WARM = 8  # runs one after the other on a worker that is warm
CELLS, ROUNDS, WORKERS = 200, 3, 2
PAPERMILL = 60  # runs by which papermill's throughput is told
SCHEDULER = 20  # the same of jupyter-scheduler


def main() -> int:
    """Print the table."""
    logging.getLogger("papermill").setLevel(logging.WARNING)
    bench = Bench("runs")
    cells(bench)
    alone = one_papermill(bench)
    peer = scheduler()
    with house() as of:
        inside = overhead(bench, of, template(of, 1), alone)
        both = template(of, WORKERS)
        first_result(bench, of, both)
        speed = many(bench, of, both)
    if peer is not None:
        bench.seconds("one run, warm", inside, peer[0], "jupyter-scheduler", None)
        bench.speed(
            "one-cell runs", speed, peer[1], "/s", f"jupyter-scheduler, {WORKERS} at a time", None
        )
    return bench.finish()


def cells(bench: Bench) -> None:
    """Compare executing 200 trivial cells with nbclient, which saves and reports nothing."""
    source = book(*[f"x{number} = {number}" for number in range(CELLS)], parameters="n = 0")
    times = interleaved(ROUNDS, lambda: ours(source), lambda: nbclient(source))
    bench.seconds(f"{CELLS} cells", times[0], times[1], "nbclient", 1 / 1.2)


def ours(source: str) -> None:
    """Execute as a worker does, without a catalog."""
    with tempfile.TemporaryDirectory() as name:
        work = {"notebook": source, "kernel": "python3", "parameters": {"n": 1}}
        kernel = {**environ.inherited(os.environ), "IPYTHONDIR": f"{name}/ipython"}
        watch = Watch(600)
        outcome = notebook.execute(
            work | {"wall_seconds": 600}, Path(name), watch, lambda *told: None, kernel
        )
        assert outcome.state == "done", outcome.error


def nbclient(source: str) -> None:
    """Execute with nbclient alone."""
    from nbclient import NotebookClient

    NotebookClient(nbformat.reads(source, as_version=4), kernel_name="python3").execute()


def papermill_once(number: int = 0) -> float:
    """Execute the one cell with plain papermill in this process; return when it began."""
    import papermill

    began = time.time()
    with tempfile.TemporaryDirectory() as name:
        source = Path(name, "in.ipynb")
        source.write_text(ONE_CELL)
        papermill.execute_notebook(
            str(source), f"{name}/out.ipynb", {"n": number}, progress_bar=False
        )
    return began


def papermill_again(number: int) -> None:
    """Execute it with papermill, again where another process had taken a port of its kernel's."""
    for _ in range(5):
        try:
            papermill_once(number)
        except RuntimeError as error:
            print(f"papermill again: {error}")
        else:
            return


def one_papermill(bench: Bench) -> float:
    """Tell the peers of a single run; return the seconds of papermill in process."""
    alone = statistics.median(timed(papermill_once) for _ in range(5))
    with tempfile.TemporaryDirectory() as name:
        source = Path(name, "in.ipynb")
        source.write_text(ONE_CELL)
        command = [sys.executable, "-m", "papermill", "--no-progress-bar", "--log-level=WARNING"]
        line = statistics.median(
            timed(lambda: subprocess.run([*command, str(source), f"{name}/out.ipynb"], check=True))
            for _ in range(3)
        )
    bench.seconds("papermill, command line", line, alone, "papermill in process", None)
    return alone


def scheduler() -> tuple[float, float] | None:
    """Return jupyter-scheduler's seconds for one job alone, and its jobs a second."""
    count = max(WORKERS, min(RUNS, SCHEDULER))
    with tempfile.TemporaryDirectory() as name:
        Path(name, "in.ipynb").write_text(ONE_CELL)
        told = _peers.ask_of(_peers.SCHEDULER, "scheduler", Path(name), str(count), str(WORKERS))
    if told is None:
        return None
    one, many = told.seconds
    return one, count / many


def timed(what: Any) -> float:
    """Return the seconds it takes."""
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def first_result(bench: Bench, of: House, name: str) -> None:
    """Compare the first result of a batch with the start of a cluster alone."""
    clusters = LocalClusters()
    began = time.perf_counter()
    cluster = clusters.open({}, WORKERS, {})
    try:
        cluster.wait()
        while not cluster.workers():
            time.sleep(0.02)
        start = time.perf_counter() - began
    finally:
        clusters.stop(cluster.name)
    runs = ended(of, submit(of, name, 4), 300)
    first = min(seconds(run, "created_at", "ended_at") for run in runs)
    bench.seconds("first result, after a cluster's start", first - start, 5.0, "limit", 1.0)


def overhead(bench: Bench, of: House, name: str, alone: float) -> float:
    """Compare a run on a warm worker with papermill in process; return the seconds of the run."""
    runs = ended(of, submit(of, name, WARM), 600)
    assert {run["state"] for run in runs} == {"done"}
    inside = statistics.median(seconds(run, "started_at", "ended_at") for run in runs[1:])
    again = statistics.median(timed(papermill_once) for _ in range(5))
    alone = statistics.median([alone, again])
    bench.seconds("overhead of a run", max(0.001, inside - alone), 1.5, "limit", 1.0)
    return inside


def many(bench: Bench, of: House, name: str) -> float:
    """Compare many one-cell runs with papermill in as many processes; return ours a second."""
    with concurrent.futures.ProcessPoolExecutor(
        WORKERS, multiprocessing.get_context("spawn")
    ) as pool:
        list(pool.map(papermill_again, range(WORKERS)))  # its imports are behind it
        sample = max(WORKERS, min(RUNS, PAPERMILL) // 2)
        before = timed(lambda: list(pool.map(papermill_again, range(sample))))
        began = time.perf_counter()
        runs = ended(of, submit(of, name, RUNS), 60 + 10 * RUNS)
        took = time.perf_counter() - began
        after = timed(lambda: list(pool.map(papermill_again, range(sample))))
    done = sum(run["state"] == "done" for run in runs)
    results = {run["notebook"]["uid"] for run in runs if run["notebook"]}
    bench.speed("runs done", done, RUNS, "runs", "all submitted", 1.0)
    bench.speed("executed notebooks", len(results), RUNS, "files", "one each", 1.0)
    peer = 2 * sample / (before + after)
    bench.speed("one-cell runs", RUNS / took, peer, "/s", f"papermill, {WORKERS} processes", 0.8)
    return RUNS / took


def seconds(run: dict[str, Any], start: str, end: str) -> float:
    """Return the seconds between two of a run's times."""
    of = (dt.datetime.fromisoformat(run[at]) for at in (start, end))
    began, over = of
    return (over - began).total_seconds()


if __name__ == "__main__":
    sys.exit(main())
