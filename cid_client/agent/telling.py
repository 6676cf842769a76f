"""What `cid agent check` and `cid agent status` print: plain lines for a terminal."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

from ..display import size
from ..errors import CidError, NotLoggedIn
from . import handles
from .config import Config
from .journal import STATES
from .page import Shown, scanned
from .rules import Goal
from .scanning import Verdict, goal_of, verdict, walk
from .units import Unit


def checked(
    config: Config, found: Counter[str], refusal: Callable[[Goal, Unit], str] = lambda *_: ""
) -> Iterator[str]:
    """Yield a line for all that lies there now: where it would go, or why not. Counts by state.

    refusal: asks the catalog why it would not take something; "" where it would.
    """
    for watch in config.watched:
        for seen in walk(watch):
            if seen.problem:
                found["not read"] += 1
                yield f"not read     {seen.folder}: {seen.problem}"
            for unit in seen.units:
                goal, why = goal_of(config, unit)
                held = handles.written(unit.paths()) if goal and not unit.missing else set()
                quiet_for = max(time.time() - unit.mtime / 1e9, 0.0)
                said = verdict(goal, why, unit, quiet_for, config.timing, held)
                if said.goal and (reason := refusal(said.goal, unit)):
                    said = Verdict("quarantined", reason)
                found[said.state] += 1
                name = unit.path.relative_to(watch.folder).as_posix()
                name = name.encode(errors="replace").decode()
                what = f"{size(unit.nbytes)}" + (f", {unit.count} files" if unit.count > 1 else "")
                if said.goal is None:
                    yield f"quarantined  {name} ({what}): {said.reason}"
                    continue
                place = "/".join(part for part in (said.goal.project, said.goal.dataset) if part)
                tags = "".join(f" {key}={value!r}" for key, value in said.goal.tags.items())
                mask = f" mask={said.goal.mask!r}" if said.goal.mask else ""
                late = f"; {said.reason or 'not quiet yet'}" if said.state == "growing" else ""
                yield f"{said.state:<12} {name} ({what}) → {place}{mask}{tags}{late}"


def away(error: CidError) -> str:
    """Return why nothing goes now, in words that tell what to do about it."""
    if isinstance(error, NotLoggedIn):
        return (
            "the catalog does not take the agent's token: make a new one on the hub's page Token,"
            " put it into token_file or CID_TOKEN, and start the agent again"
        )
    return str(error)


def status(told: Shown, running: bool) -> Iterator[str]:
    """Yield how an agent stands."""
    yield f"agent: {'at work' if running else 'not at work'}"
    yield f"catalog: {told.facts.get('catalog', 'not known yet')}"
    yield scanned(told.facts)
    if told.facts.get("away"):
        yield f"waiting: {told.facts['away']}"
    for line in told.facts.get("problems", "").splitlines():
        yield f"folder not read: {line}"
    for state in STATES:
        number, nbytes = told.counts[state]
        yield f"{state:<12} {number:>8}  {size(nbytes or 0)}"
    for row in (*told.quarantine, *told.failed):
        yield f"{row.state}: {row.path}: {row.reason}"
