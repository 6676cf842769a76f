"""A worker sorts and converts foreign files in children, one after another.

A child does several small files, for a fork and its end cost as much as one of them. A large file
has a child of its own, and so has the next one after any failure. A file that fails in a child that
had read others is tried once more alone: what one file does to a child is never another's reason.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ..errors import BadFile, BadInput, CidError, Conflict, Unavailable
from .children import Child
from .converted import Converted, astray, measured, taken, whole
from .limits import Limits

POLL = 0.1  # seconds between two looks at the clock and at `should_stop`
REFUSALS = {error.__name__: error for error in (BadFile, Unavailable)}
SMALL = 32 << 20  # bytes of a file that need not have a child of its own
JOBS = 50  # that one child does
TOLD = 256 << 20  # bytes that a child may say of one job: all of it is kept in memory
Hear = Callable[[dict[str, Any]], None]


class Failed(Exception):
    """The child could not do it, or ended without a word: `reason` is what the file is told."""

    def __init__(self, reason: CidError) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass
class Group:
    """Files that belong together, relative to the sorted folder; see `readers.sort`."""

    main: str
    members: list[str]
    reader: str


@dataclass
class Sorted:
    """What a child says of a tree. It read foreign names and bytes: check it against the tree."""

    groups: list[Group] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def hear(self, message: dict[str, Any]) -> None:
        """Take one message."""
        if "group" in message:
            main, members, reader = message["group"]
            if not self.groups or self.groups[-1].main != main:
                self.groups.append(Group(str(main), [], str(reader)))
            self.groups[-1].members += map(str, members)
        elif "others" in message:
            self.others += map(str, message["others"])
        elif "refused" in message:
            path, reason = message["refused"]
            self.refused[str(path)] = str(reason)[:300]


class Worker:
    """Use it in a `with`: no child outlives it."""

    def __init__(self, limits: Limits, should_stop: Callable[[], bool] = lambda: False) -> None:
        self.limits, self.should_stop = limits, should_stop
        self._child: Child | None = None
        self._jobs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    def sort(self, folder: Path) -> Sorted:
        """Return which files of a folder belong together, or raise BadFile."""
        found = Sorted()
        try:
            self._run({"sort": str(folder.absolute())}, _Clock(self.limits), found.hear)
        except Failed as failed:
            raise failed.reason from None
        except (TypeError, ValueError):
            self._let_go()
            raise astray() from None
        return found

    def measure(self, store: Path) -> dict[str, Any] | None:
        """Return the quality of a stored image; None for one that has none. Raises BadFile."""
        found: dict[str, Any] = {}
        try:
            self._run({"measure": str(store.absolute())}, _Clock(self.limits), found.update)
        except Failed as failed:
            self._let_go()
            raise failed.reason from None
        return measured(found.get("quality"))

    def convert(
        self,
        source: Path,
        target: Path,
        *,
        kind: str = "image",
        nbytes: int = SMALL + 1,
        on_plan: Callable[[int], None] = lambda nbytes: None,
        on_progress: Callable[[float, str], None] = lambda fraction, text: None,
    ) -> list[Converted]:
        """Do what `convert.convert` promises, for a file of so many bytes."""
        if kind not in {"image", "labels"}:
            raise BadInput(f"an image is of kind image or labels, not {kind[:40]!r}")
        if nbytes > SMALL or self._jobs >= JOBS:
            self._let_go()
        talk = _Talk(on_plan, on_progress)
        make(target)
        try:
            found = self._tried(source, target, kind, talk)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            self._let_go()  # nobody knows what is left in a child after a failure
            raise
        if nbytes > SMALL:
            self._let_go()
        return found

    def _tried(self, source: Path, target: Path, kind: str, talk: _Talk) -> list[Converted]:
        alone = self._jobs == 0
        try:
            return self._converted(source, target, kind, talk)
        except Failed as failed:
            if alone:
                raise failed.reason from None
            self._let_go()
            shutil.rmtree(target, ignore_errors=True)
            make(target)
        try:
            return self._converted(source, target, kind, talk)
        except Failed as failed:
            raise failed.reason from None

    def _converted(self, source: Path, target: Path, kind: str, talk: _Talk) -> list[Converted]:
        job = {"source": str(source.absolute()), "target": str(target.absolute()), "kind": kind}
        talk.begin(_Clock(self.limits), self._given)
        self._run(job, talk.clock, talk.hear)
        if not talk.images:
            raise astray()
        return [taken(one, target / str(at)) for at, one in enumerate(talk.images)]

    def _given(self) -> Child:
        if self._child is None:
            self._child, self._jobs = Child(self.limits), 0
        return self._child

    def _run(self, job: dict[str, Any], clock: _Clock, hear: Hear) -> None:
        """Give a child a job and hear it to its end, or raise."""
        child = self._given()
        self._jobs += 1
        before = child.heard
        child.give(job)
        while True:
            try:
                message = child.hear(POLL)
            except ValueError:
                raise astray() from None
            if message is None:
                raise Failed(_reason(child.ended(), self.limits))
            if self.should_stop():
                raise Conflict("the import was stopped")
            clock.check()
            if child.heard - before > TOLD:
                self._let_go()
                raise astray()
            if "error" in message:
                raise Failed(_refusal(message["error"]))
            if "done" in message:
                return
            hear(message)

    def _let_go(self) -> None:
        if self._child is not None:
            self._child.close()
        self._child, self._jobs = None, 0


def make(target: Path) -> None:
    """Make the folder that a conversion writes to."""
    try:
        target.mkdir(parents=True)
    except FileExistsError:
        raise Conflict("the folder to import to exists already") from None


class _Clock:
    """The time that one file may take."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.began, self.planned = limits, time.monotonic(), False

    def check(self) -> None:
        seconds, limits = time.monotonic() - self.began, self.limits
        if not self.planned and seconds > limits.planning_seconds:
            limit = limits.planning_seconds
            raise BadFile(f"its headers could not be read in {limit:g} s: it may be damaged")
        if seconds > limits.wall_seconds:
            raise BadFile(f"its import took longer than {limits.wall_seconds:g} s")


@dataclass
class _Talk:
    """What the parent makes of a child's messages about one file."""

    on_plan: Callable[[int], None]
    on_progress: Callable[[float, str], None]
    images: list[dict[str, Any]] = field(default_factory=list)
    planned: int = 0

    def begin(self, clock: _Clock, child: Callable[[], Child]) -> None:
        """Forget an earlier try."""
        self.clock, self.child = clock, child
        self.images.clear()

    def hear(self, message: dict[str, Any]) -> None:
        """Take one message; what comes before the plan counts for nothing."""
        if "plan" in message and not self.clock.planned:
            self.clock.planned = True
            nbytes = whole(message["plan"])
            self.on_plan(max(0, nbytes - self.planned))
            self.planned = max(nbytes, self.planned)
            self.child().go()
        elif "progress" in message and self.clock.planned:
            try:
                fraction, text = message["progress"]
                done = min(1.0, max(0.0, float(fraction)))
            except (TypeError, ValueError):
                raise astray() from None
            self.on_progress(done, str(text)[:200])
        elif "image" in message and self.clock.planned:
            self.images.append(message["image"])


def _reason(code: int | None, limits: Limits) -> CidError:
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


def _refusal(told: Any) -> CidError:
    """Return the child's own error; it may only name one of two."""
    name, message = (str(part) for part in told)
    return REFUSALS.get(name, BadFile)(" ".join(message.split())[:500])
