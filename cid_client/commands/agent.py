"""cid agent: what a microscope writes goes into the catalog by itself."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..agent import config, lock, page, running, telling
from ..agent.journal import Journal
from ..agent.rules import Goal
from ..agent.units import Unit
from ..errors import BadInput, CidError, NotAllowed, NotFound
from ..uploads.told import judge
from .command import DONE, REFUSED, Command


def arguments(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    actions = command.add_subparsers(required=True, metavar="ACTION", dest="action")
    for name, told in {
        "run": "watch and upload until it is stopped",
        "check": "say what would go where, and send nothing",
        "status": "say how the agent stands",
    }.items():
        action = actions.add_parser(name, help=told, description=told)
        action.add_argument("--config", type=Path, required=True, metavar="FILE", help="agent.toml")


def run(given: argparse.Namespace) -> int:
    """Do what is asked."""
    told = config.read(given.config)
    return {"run": _run, "check": _check, "status": _status}[given.action](told)


def _run(told: config.Config) -> int:
    stop = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), running.stopping(stop))
    running.Agent(told, stop, lambda text: print(text, flush=True)).run()
    return DONE


def _check(told: config.Config) -> int:
    found: Counter[str] = Counter()
    with _asking(told) as refusal:
        for line in telling.checked(told, found, refusal):
            print(line)
    print(", ".join(f"{number} {state}" for state, number in sorted(found.items())) or "nothing")
    return REFUSED if found["quarantined"] or found["not read"] else DONE


@contextmanager
def _asking(told: config.Config) -> Iterator[Callable[[Goal, Unit], str]]:
    """Give what says why the catalog would refuse something; it is told when it cannot be asked."""
    try:
        catalog = running.connected(told.access())
        catalog.whoami()
    except CidError as error:
        print(f"masks and tags are not checked: {telling.away(error)}", file=sys.stderr)
        yield lambda goal, unit: ""
        return

    def refusal(goal: Goal, unit: Unit) -> str:
        try:
            if goal.said:
                paths = (part.path for part in unit.parts())
                judge(catalog.session, goal.project, paths, goal.said)
        except (BadInput, NotFound, NotAllowed) as error:
            return str(error)
        return ""

    try:
        yield refusal
    finally:
        catalog.close()


def _status(told: config.Config) -> int:
    file = told.state / running.JOURNAL
    if not file.exists():
        raise NotFound(f"{file} does not exist: no agent has worked with this configuration yet")
    journal = Journal(file, read_only=True)
    try:
        shown = page.shown(journal)
        for line in telling.status(shown, lock.is_held(told.state)):
            print(line)
    finally:
        journal.close()
    return REFUSED if shown.quarantine or shown.failed else DONE


COMMAND = Command("agent", "upload what a microscope writes, by itself", arguments, run)
