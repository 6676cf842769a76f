"""`jupyter cid ...`: the catalog from a shell, as the person whose token it is.

`import`, `template publish` and `instrument` are clients of the service like any other;
`operator.py` and `adopting.py` have the commands that work on database and storage themselves.
Rules of what goes where are those of the acquisition agent.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cid_client
from cid_client.agent import rules as agent
from cid_client.errors import CidError

from . import adopting, operator
from .checking import commands as templates
from .core.catalog.goals import Goal
from .errors import BadInput
from .errors import CidError as ServerError

CHOICES = {"view": ("ome-zarr", "none"), "unfit": ("skip", "take")}  # of a rule; the first counts


def main(argv: list[str] | None = None) -> None:
    """Run one command; a refusal is one line and exit status 1."""
    arguments = _parser().parse_args(argv)
    try:
        sys.exit(arguments.command(arguments))
    except (CidError, ServerError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def import_(arguments: argparse.Namespace) -> int:
    """Import every image below PATH; one bad file ends itself, not the others."""
    catalog = _connect(arguments)

    path = Path(arguments.path)
    if not path.exists():
        raise CidError(f"{path}: no such file or folder")
    catalog.project(arguments.project)
    items = list(cid_client.find_items(path))
    if not items:
        raise CidError(f"{path}: nothing in it that looks like an image")
    failed = 0
    for item in items:
        with _progress(item.name) as told:
            try:
                made = catalog.upload(item, arguments.project, arguments.dataset, on_progress=told)
            except CidError as error:
                failed += 1
                print(f"{item}: {type(error).__name__}: {error}", file=sys.stderr)
                continue
        for image in made:
            shape = "x".join(str(length) for length in image.shape)
            print(f"{image.uid}  {image.name}  {image.axes} {shape} {image.dtype}")
    return 1 if failed else 0


def instrument(arguments: argparse.Namespace) -> int:
    """Say what a microscope is made of by a file; register it first where it is new. Staff may."""
    register = _connect(arguments).instruments
    path = Path(arguments.file)
    document = cid_client.read_description(path)
    name = arguments.name or document.get("Name")
    if not isinstance(name, str) or not name:
        raise CidError(f"{path}: it does not say how the instrument is called: add --name")
    known = [one for one in register if one.name.casefold() == name.casefold()]
    row = known[0] if known else register.add(name)
    row.update(document, valid_from=arguments.valid_from, why=arguments.why)
    newest = row.versions[0]
    print(f"{row.uid}  {row.name}  from {newest.valid_from:%Y-%m-%d}")
    if row.tier is not None:
        print(f"4DN-BINA-OME tier {row.tier.reached}")
        for tier, fields in row.tier.missing.items():
            print(f"tier {tier} lacks: {'; '.join(fields)}")
    return 0


def read_rules(path: Path) -> adopting.Rules:
    """Return the rules of a file, or raise BadInput with a line for each field that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        told = tomllib.loads(text)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise BadInput(f"{path}: {error}") from None
    wrong = [f"{key}: is not known" for key in sorted(told.keys() - {"instrument", "rules"})]
    rules: list[agent.Rule] = []
    choices: dict[str, dict[str, str]] = {}
    tables = told.get("rules")
    for at, table in enumerate(tables if isinstance(tables, list) else [], 1):
        rest = dict(table) | {"name": str(table.get("name", f"rule {at}"))}
        chosen = choices[rest["name"]] = {key: rest.pop(key, CHOICES[key][0]) for key in CHOICES}
        for key, known in CHOICES.items():
            if chosen[key] not in known:
                wrong.append(f"rule {at}.{key}: {' or '.join(map(repr, known))}")
        rule = agent.read_rule(
            rest, at, lambda key, why, at=at: wrong.append(f"rule {at}.{key}: {why}")
        )
        rules += [rule] if rule else []
    if wrong or not rules:
        raise BadInput("; ".join(f"{path.name}: {line}" for line in wrong or ["write [[rules]]"]))
    instrument = str(told.get("instrument", ""))

    def judge(folder: str, name: str) -> tuple[Goal | None, str]:
        goal, why = agent.judge(rules, folder, name, instrument)
        if goal is None:
            return None, why
        places = (goal.rule, goal.project, goal.team, goal.dataset, goal.instrument)
        return Goal(*places, tags=goal.tags, mask=goal.mask, **choices[goal.rule]), ""

    return adopting.Rules(judge, text)


def _connect(arguments: argparse.Namespace) -> Any:
    return cid_client.connect(arguments.url, arguments.token)


class _progress:
    """A progress bar on a terminal, nothing in a pipe."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self.seen = sys.stderr.isatty()
        self.bar = Progress(console=Console(stderr=True), transient=True, disable=not self.seen)
        self.task = self.bar.add_task(name, total=1.0)

    def __enter__(self) -> Callable[[float, str], None]:
        self.bar.start()
        return lambda fraction, text: self.bar.update(self.task, completed=fraction)

    def __exit__(self, *_: object) -> None:
        if self.seen:  # else it would end with an empty line
            self.bar.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jupyter cid", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("import", help="import images into a project")
    command.add_argument("path", help="a file, an OME-Zarr folder, or a folder of them")
    command.add_argument("--project", required=True)
    command.add_argument("--dataset", default="", help='a path such as "screen/plate 1"')
    _as_person(command)
    command.set_defaults(command=import_)

    command = commands.add_parser("instrument", help="the register of microscopes (staff)")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    command = actions.add_parser("import", help="say what a microscope is made of")
    command.add_argument("file", help="Microscope.JSON of the Micro-Meta App, or OME XML")
    command.add_argument("--name", help="how it is called (default: what the file says)")
    command.add_argument("--valid-from", help="since when, such as 2026-03-01 (default: now)")
    command.add_argument("--why", default="", help="what was changed, and why")
    _as_person(command)
    command.set_defaults(command=instrument)

    templates.add_commands(commands, _as_person)
    operator.add_commands(commands)
    adopting.add_commands(commands, read_rules)
    return parser


def _as_person(command: argparse.ArgumentParser) -> None:
    command.add_argument("--url", help="the catalog (default: CID_URL)")
    command.add_argument("--token", help="a hub token (default: CID_TOKEN or the server's own)")


if __name__ == "__main__":
    main()
