"""What an import uses of a child, wherever it runs, and what is said of its end."""

from __future__ import annotations

import signal
from typing import Any, Protocol

from ..errors import BadFile, CidError, Unavailable
from .limits import Limits

REFUSALS = {error.__name__: error for error in (BadFile, Unavailable)}


class Hands(Protocol):
    """A limited child, wherever it runs; see `children.Child`."""

    heard: int

    def give(self, job: dict[str, Any]) -> None:
        """Give it a job."""

    def hear(self, seconds: float) -> dict[str, Any] | None:
        """Return its next message, {} for none yet, None when it has ended; or raise Lost."""

    def go(self) -> None:
        """Let it write."""

    def ended(self) -> int | None:
        """Return its exit code."""

    def close(self) -> None:
        """End it."""


class Lost(Exception):
    """The machine under a child is gone, or the way there. `died`: that machine alone."""

    def __init__(self, *, died: bool) -> None:
        super().__init__("a machine that imports is gone")
        self.died = died


class Failed(Exception):
    """The child could not do it, or ended without a word: `reason` is what the file is told."""

    def __init__(self, reason: CidError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def reason(code: int | None, limits: Limits) -> CidError:
    """Say what an exit without a word means."""
    if code is None:
        return Unavailable("the import helper has ended: try again")
    if code == -signal.SIGXCPU:
        return BadFile(f"reading it took more than {limits.cpu_seconds} s of computing")
    if code == -signal.SIGKILL:
        return BadFile("reading it was ended by the system, for want of memory: make it smaller")
    if code == -signal.SIGABRT:
        return BadFile("reading it crashed the reader (SIGABRT), most often for want of memory")
    if code < 0:
        name = signal.Signals(-code).name
        return BadFile(f"reading it crashed the reader ({name}): it is damaged or hostile")
    return BadFile("reading it ended without a result: it is damaged or hostile")


def refusal(told: Any) -> CidError:
    """Return the child's own error; it may only name one of two."""
    name, message = (str(part) for part in told)
    return REFUSALS.get(name, BadFile)(" ".join(message.split())[:500])
