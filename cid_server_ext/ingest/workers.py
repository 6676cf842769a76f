"""A worker sorts and converts foreign files in children, one after another.

A child does several small files, for a fork and its end cost as much as one of them. A large file
has a child of its own, and so has the next one after any failure. A file that fails in a child that
had read others is tried once more alone: what one file does to a child is never another's reason.
A child is closed into the room of its first job (`sandbox.py`); a job in another room has another.
Where a child runs is another's business (`workshops.py`): here, or on a machine of a cluster. What
is lost on the way there is done again, each time in a folder of its own.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from ..errors import BadFile, BadInput, Conflict
from .children import Child
from .converted import Converted, astray, measured, taken
from .endings import Failed, Hands, Lost, reason, refusal
from .limits import Limits
from .sandbox import Room, room_of
from .talk import Clock, Talk

POLL = 0.1  # seconds between two looks at the clock and at `should_stop`
SMALL = 32 << 20  # bytes of a file that need not have a child of its own
JOBS = 50  # that one child does
TOLD = 256 << 20  # bytes that a child may say of one job: all of it is kept in memory
DEATHS = 3  # machines that may end while a file is read, before the file is to blame
Hear = Callable[[dict[str, Any]], None]
Done = TypeVar("Done")


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

    def __init__(
        self,
        limits: Limits,
        should_stop: Callable[[], bool] = lambda: False,
        start: Callable[[], Hands] | None = None,
    ) -> None:
        self.limits, self.should_stop = limits, should_stop
        self._start: Callable[[], Hands] = start or (lambda: Child(limits))
        self._child: Hands | None = None
        self._jobs = 0
        self._room = Room()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    def sort(self, folder: Path) -> Sorted:
        """Return which files of a folder belong together, or raise BadFile."""
        try:
            found = self._surely(lambda: self._sorted(folder))
        except Failed as failed:
            raise failed.reason from None
        except (TypeError, ValueError):
            self._let_go()
            raise astray() from None
        return found

    def measure(self, store: Path) -> dict[str, Any] | None:
        """Return the quality of a stored image; None for one that has none. Raises BadFile."""
        job, found = {"measure": str(store.absolute())}, dict[str, Any]()
        try:
            self._surely(lambda: self._run(job, Clock(self.limits), found.update))
        except Failed as failed:
            self._let_go()
            raise failed.reason from None
        return measured(found.get("quality"))

    def ask(self, job: dict[str, Any], hear: Hear) -> None:
        """Let a child do a job that writes no image, and hear all that it says. Raises BadFile."""
        try:
            self._surely(lambda: self._run(job, Clock(self.limits), hear))
        except Failed as failed:
            self._let_go()
            raise failed.reason from None

    def convert(
        self,
        source: Path,
        target: Path,
        *,
        kind: str = "image",
        nbytes: int = SMALL + 1,
        room: Room | None = None,
        on_plan: Callable[[int], None] = lambda nbytes: None,
        on_progress: Callable[[float, str], None] = lambda fraction, text: None,
    ) -> list[Converted]:
        """Do what `convert.convert` promises, for a file of so many bytes.

        room: that of many files, so that a child may do several; else its own folder and target.
        """
        if kind not in {"image", "labels"}:
            raise BadInput(f"an image is of kind image or labels, not {kind[:40]!r}")
        job = {"source": str(source.absolute()), "target": str(target.absolute()), "kind": kind}
        room = room or room_of(job)
        if nbytes > SMALL or self._jobs >= JOBS or room != self._room:
            self._let_go()
        talk = Talk(on_plan, on_progress)
        make(target)
        try:
            found = self._tried(job, room, talk)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            self._let_go()  # nobody knows what is left in a child after a failure
            raise
        if nbytes > SMALL:
            self._let_go()
        return found

    def _tried(self, job: dict[str, Any], room: Room, talk: Talk) -> list[Converted]:
        alone = self._jobs == 0
        try:
            return self._surely(lambda: self._converted(job, room, talk))
        except Failed as failed:
            if alone:
                raise failed.reason from None
            self._let_go()
        try:
            return self._surely(lambda: self._converted(job, room, talk))
        except Failed as failed:
            raise failed.reason from None

    def _converted(self, job: dict[str, Any], room: Room, talk: Talk) -> list[Converted]:
        # a try of its own: one that was given up far from here may go on writing for a while
        target = Path(job["target"])
        attempt = target / secrets.token_hex(4)
        attempt.mkdir()
        try:
            talk.begin(Clock(self.limits), lambda: self._given(room))
            self._run({**job, "target": str(attempt)}, talk.clock, talk.hear, room)
            if not talk.images:
                raise astray()
            for at in range(len(talk.images)):
                os.rename(attempt / str(at), target / str(at))
        except FileNotFoundError:
            raise astray() from None
        finally:
            shutil.rmtree(attempt, ignore_errors=True)
        return [taken(one, target / str(at)) for at, one in enumerate(talk.images)]

    def _sorted(self, folder: Path) -> Sorted:
        found = Sorted()
        self._run({"sort": str(folder.absolute())}, Clock(self.limits), found.hear)
        return found

    def _surely(self, do: Callable[[], Done]) -> Done:
        """Do it again as long as it is lost with the machine that did it."""
        deaths = 0
        while True:
            try:
                return do()
            except Lost as lost:
                self._let_go()
                deaths += lost.died
            if deaths == DEATHS:
                raise Failed(BadFile(f"{DEATHS} machines that read it ended: it needs more memory"))

    def _given(self, room: Room) -> Hands:
        if self._child is not None and room != self._room:
            self._let_go()
        if self._child is None:
            self._child, self._jobs, self._room = self._start(), 0, room
        return self._child

    def _run(self, job: dict[str, Any], clock: Clock, hear: Hear, room: Room | None = None) -> None:
        """Give a child a job and hear it to its end, or raise."""
        room = room or room_of(job)
        child = self._given(room)
        clock.start()
        self._jobs += 1
        before = child.heard
        child.give({**job, "reads": room.reads, "writes": room.writes})
        while True:
            try:
                message = child.hear(POLL)
            except ValueError:
                raise astray() from None
            if message is None:
                raise Failed(reason(child.ended(), self.limits))
            if self.should_stop():
                raise Conflict("the import was stopped")
            clock.check()
            if child.heard - before > TOLD:
                self._let_go()
                raise astray()
            if "error" in message:
                raise Failed(refusal(message["error"]))
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
