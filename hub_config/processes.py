"""Keep hold of every process that came from us, and end them all in time."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import time
from collections.abc import Callable

import psutil

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies (Linux; elsewhere nothing)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def start_clean() -> None:
    """Prepare a child between fork and exec: it can be interrupted, and ends when we are killed.

    A process started in a shell's background ignores SIGINT, and would pass that on to the hub's
    services, which are stopped by SIGINT.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def descendants() -> list[psutil.Process]:
    """Return our children and theirs that still run; reaps those of ours that have ended."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                process.wait(0)
            else:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.TimeoutExpired):
            continue
    return found


def end_all(deadline: float) -> int:
    """Terminate what is left of our descendants, kill at `deadline` (monotonic); return how many.

    A process that is started while we stop the others is found by looking again. One that even
    SIGKILL does not end within a second (it hangs in the kernel) is given up.
    """
    asked: set[int] = set()
    while (left := descendants()) and time.monotonic() < deadline + 1:
        late = time.monotonic() >= deadline
        for process in left:
            if late or process.pid not in asked:
                _send(process, signal.SIGKILL if late else signal.SIGTERM)
                asked.add(process.pid)
        psutil.wait_procs(left, timeout=0.1)
    return len(asked)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.1) -> bool:
    """Poll `condition` until it holds or `seconds` have passed; return whether it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True


def _send(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
