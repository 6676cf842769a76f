"""One look at all watched folders: what is there, whether it is complete, and where it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

from . import handles
from .config import Config, Timing, Watch
from .journal import KEPT, Journal, Row, written
from .listing import listing
from .rules import Goal, judge
from .units import Unit, of_folder

WAITING = ("complete", "hashed", "failed")  # for their turn


@dataclass
class Seen:
    """What lies in one folder: its units, or why it could not be looked into."""

    folder: Path
    units: list[Unit] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of a unit: a state, why, and where it goes if it goes."""

    state: str
    reason: str = ""
    goal: Goal | None = None


def walk(watch: Watch, stop: Callable[[], bool] = lambda: False) -> Iterator[Seen]:
    """Yield each folder below a watched one; what cannot be read ends that folder only."""
    waiting = [watch.folder]
    while waiting and not stop():
        folder = waiting.pop()
        try:
            str(folder).encode()
            units, folders = of_folder(listing(folder, watch.ignore), watch)
        except UnicodeEncodeError:
            yield Seen(folder, problem="its name is not UTF-8: give it another")
            continue
        except OSError as error:
            yield Seen(folder, problem=str(error))
            continue
        yield Seen(folder, units)
        waiting += [folder / name for name in reversed(folders)]


def goal_of(config: Config, unit: Unit) -> tuple[Goal | None, str]:
    """Return where a unit goes by the rules, or None and why it goes nowhere."""
    try:
        str(unit.path).encode()
    except UnicodeEncodeError:
        return None, "its name is not UTF-8: give it another"
    return judge(config.rules, unit.folder, unit.path.name, unit.watch.instrument)


def verdict(
    goal: Goal | None,
    why: str,
    unit: Unit,
    quiet_for: float,
    timing: Timing,
    held: Set[Path],
) -> Verdict:
    """Return what is to become of a unit that has not changed for some seconds."""
    if goal is None:
        return Verdict("quarantined", why)
    if unit.missing and quiet_for > timing.companions:
        return Verdict(
            "quarantined", f"not complete, and nothing has come for long: {unit.missing}"
        )
    if unit.missing:
        return Verdict("growing", f"waits for {unit.missing}", goal)
    if quiet_for < timing.quiet:
        return Verdict("growing", "", goal)
    if held and not held.isdisjoint(unit.paths()):
        return Verdict("growing", "a program has it open to write", goal)
    return Verdict("complete", "", goal)


class Scanner:
    """Keeps the journal in step with the disk; problems: folders that could not be read."""

    def __init__(self, config: Config, journal: Journal, stop: Callable[[], bool]) -> None:
        self.config, self.journal, self.stop = config, journal, stop
        self.problems: list[str] = []

    def scan(self) -> None:
        """Look at everything once."""
        problems: list[str] = []
        for watch in self.config.watched:
            visited, whole = set(), True
            for seen in walk(watch, self.stop):
                visited.add(str(seen.folder))
                if seen.problem:
                    whole = False
                    problems.append(
                        f"{seen.folder}: {seen.problem}".encode(errors="replace").decode()
                    )
                else:
                    self._take(seen)
            if whole and not self.stop():
                for folder in set(self.journal.folders(watch.folder)) - visited:
                    self._left(self.journal.of_folder(Path(folder)).values())
        self.problems = problems

    def _take(self, seen: Seen) -> None:
        now = time.time()
        with self.journal.together():
            known = self.journal.of_folder(seen.folder)
            ready = []
            for unit in seen.units:
                try:
                    row = self.journal.see(unit, known.pop(str(unit.path), None), now)
                except UnicodeEncodeError:
                    continue
                if row.state not in KEPT:
                    ready.append((unit, row))
            self._left(known.values())
        asked = [
            unit
            for unit, row in ready
            if row.state not in WAITING and not unit.missing
            if now - row.since >= self.config.timing.quiet
        ]
        held = handles.written(path for unit in asked for path in unit.paths()) if asked else set()
        with self.journal.together():
            for unit, row in ready:
                self._settle(unit, row, held, now)

    def _settle(self, unit: Unit, row: Row, held: Set[Path], now: float) -> None:
        """Write down what is to become of a unit."""
        goal, why = goal_of(self.config, unit)
        said = verdict(goal, why, unit, now - row.since, self.config.timing, held)
        to = {"goal": written(said.goal) if said.goal else "", "reason": said.reason}
        if row.state in WAITING and said.state != "quarantined":
            if said.goal and to["goal"] != row.goal:  # the rules are others now
                self.journal.move(row, row.state, now, goal=to["goal"], reason=row.reason)
            return
        same = row.state == "quarantined" != said.state and to["goal"] == row.goal
        if same and row.next_try > now:  # the catalog refused it: it is asked again later
            return
        if (row.state, row.reason, row.goal) != (said.state, said.reason, to["goal"]):
            self.journal.move(row, said.state, now, tries=0, next_try=0, **to)

    def _left(self, rows: Collection[Row]) -> None:
        with self.journal.together():
            for row in rows:
                self.journal.leave(row)
