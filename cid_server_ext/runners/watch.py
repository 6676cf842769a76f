"""Ends a notebook that was cancelled or runs too long: by a signal it can answer, then by force."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

CANCELLED = "cancelled"
TOO_LONG = "wall time"
REVOKED = "revoked"

LOOK_SECONDS = 0.2
AGAIN_SECONDS = 3.0  # a cell that swallows KeyboardInterrupt gets another
GRACE_SECONDS = 10.0


class Stopped(Exception):
    """The watch ended the notebook; its text is the reason: cancelled, wall time or revoked."""


class Watch:
    """Says when to stop, and stops the kernel of the client it stands over."""

    def __init__(self, wall_seconds: float | None = None, grace: float = GRACE_SECONDS) -> None:
        self.why: str | None = None
        self._grace = grace
        self._deadline = None if wall_seconds is None else time.monotonic() + wall_seconds

    def stop(self, why: str) -> None:
        """Ask to stop; the first reason counts."""
        self.why = self.why or why

    def raise_if_stopped(self) -> None:
        """Raise Stopped between two cells."""
        self._look()
        if self.why:
            raise Stopped(self.why)

    @contextlib.contextmanager
    def over(self, client: Any) -> Iterator[None]:
        """Watch while the block runs."""
        done = threading.Event()
        guard = threading.Thread(target=self._guard, args=(client, done), daemon=True)
        guard.start()
        try:
            yield
        finally:
            done.set()
            guard.join()

    def _guard(self, client: Any, done: threading.Event) -> None:
        while not done.wait(LOOK_SECONDS):
            self._look()
            if self.why:
                return self._end(client, done)
        return None

    def _end(self, client: Any, done: threading.Event) -> None:
        give_up = time.monotonic() + self._grace
        while time.monotonic() < give_up:
            _signal(client, signal.SIGINT)
            if done.wait(min(AGAIN_SECONDS, max(0.0, give_up - time.monotonic()))):
                return
        _signal(client, signal.SIGKILL)

    def _look(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            self.stop(TOO_LONG)


def group_of(client: Any) -> int | None:
    """Return the process group of a client's kernel, if it has one of its own."""
    pid = getattr(getattr(client.km, "provisioner", None), "pid", None)
    with contextlib.suppress(ProcessLookupError):
        return pid if pid and os.getpgid(pid) == pid else None
    return None


def _signal(client: Any, number: int) -> None:
    """Signal the kernel and what it started, which share a process group of their own."""
    pid = getattr(getattr(client.km, "provisioner", None), "pid", None)
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number) if os.getpgid(pid) == pid else os.kill(pid, number)
