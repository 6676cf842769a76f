"""Counts the bytes that runs read, where the worker that meters a run looks."""

from __future__ import annotations

import os
import threading
from collections import defaultdict

from . import environment

MOVED = ".moved"  # in the run's scratch folder: bytes, and on how many workers

_here: dict[str, int] = defaultdict(int)  # by run: what this process read
_elsewhere: dict[str, dict[str, int]] = defaultdict(dict)  # by run and worker
_lock = threading.Lock()


def add(run: str, nbytes: int) -> None:
    """Count what was read for a run, or an attempt of it; outside of runs nothing is counted."""
    if run := run.partition(".")[0]:
        with _lock:
            _here[run] += nbytes
            _note(run)


def read_here(run: str) -> int:
    """Return what this process has read for a run: a worker is asked this by the notebook."""
    return _here.get(run, 0)


def tell(run: str, workers: dict[str, int]) -> None:
    """Count what other workers have read for a run until now, by their address."""
    with _lock:
        for worker, nbytes in workers.items():
            _elsewhere[run][worker] = max(nbytes, _elsewhere[run].get(worker, 0))
        _note(run)


def _note(run: str) -> None:
    """Leave the sum in the scratch folder: it is there however the kernel ends."""
    inside = environment.inside_run()
    if inside is None or inside.uid != run:
        return
    others = _elsewhere[run]
    text = f"{_here[run] + sum(others.values()):020d} {max(1, len(others)):06d}\n"
    try:
        file = os.open(inside.scratch / MOVED, os.O_CREAT | os.O_WRONLY, 0o600)
    except OSError:  # it is only a count
        return
    try:
        os.pwrite(file, text.encode(), 0)
    finally:
        os.close(file)
