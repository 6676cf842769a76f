"""cid subscription: what runs by itself on what a saved search newly finds."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..catalog import Catalog, connect
from ..errors import BadInput
from ..subscriptions.subscriptions import Budget, Subscription
from .command import DONE, Command

NONE = "none"

Roles = dict[str, list[str]]


def arguments(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    actions = command.add_subparsers(required=True, metavar="ACTION", dest="action")

    def action(name: str, told: str, *also: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=told, description=told, aliases=also)
        made.set_defaults(action=name)
        made.add_argument("--url", help="of the catalog, instead of CID_URL")
        made.add_argument("--token", help="instead of CID_TOKEN")
        return made

    listed = action("list", "what runs by itself in my projects, or in one")
    listed.add_argument("project", nargs="?", metavar="PROJECT")
    listed.add_argument("--ended", action="store_true", help="what has ended, too")
    shown = action("show", "one of them: its state, what it spent, and what it matched")
    shown.add_argument("uid", metavar="UID")
    told = "the images that it matched; only those waiting, left, done, failed …"
    shown.add_argument("--matches", nargs="?", const="", metavar="STATE", help=told)
    count = action("count", "what `add --also-existing` would run now; nothing begins")
    add = action("add", "run a template once on each new match of a saved search")
    for one in (count, add):
        one.add_argument("template", metavar="TEMPLATE")
        one.add_argument("--project", "-p", required=True, metavar="NAME")
        one.add_argument("--on", required=True, metavar="SEARCH", help="path of a live dataset")
        _values(one)
        one.add_argument("--role", action="append", default=[], type=_pair, metavar="ROLE=UID")
    add.add_argument("--priority", type=int, default=0, metavar="N", help="as that of `cid run`")
    add.add_argument("--also-existing", action="store_true", help="on what matches already, too")
    change = action("change", "another budget, or other values for the runs to come", "budget")
    change.add_argument("uid", metavar="UID")
    _values(change)
    for one in (add, change):
        one.add_argument("--runs", type=_count, metavar="N", help="at most, in all")
        one.add_argument("--runs-a-day", type=_count, metavar="N", help="at most, of one day (UTC)")
        one.add_argument("--nbytes", metavar="SIZE", help='at most, as "50 GB"')
    for one in (
        action("pause", "let it submit nothing; what matches meanwhile waits"),
        action("resume", "let it go on"),
        action("end", "end it: nothing is submitted any more", "remove"),
    ):
        one.add_argument("uid", metavar="UID")


def run(given: argparse.Namespace) -> int:
    """Do what is asked, and show how it stands then."""
    catalog = connect(given.url, given.token)
    try:
        if given.action == "list":
            _list(catalog, given.project, given.ended)
        elif given.action == "count":
            print(_count_now(catalog, given))
        else:
            _show(_asked(catalog, given), getattr(given, "matches", None))
    finally:
        catalog.close()
    return DONE


def value(told: Mapping[str, Any], text: str) -> Any:
    """Return what a text means for a parameter: text, one of its choices, or JSON."""
    for choice in told.get("choices") or ():
        if str(choice) == text:
            return choice
    if told.get("type") == "text":
        return text
    try:
        return json.loads(text)
    except ValueError:  # the catalog says what it takes
        return text


def by_role(pairs: Iterable[tuple[str, str]]) -> Roles:
    """Return what `--role` was given, each role with its uids."""
    roles: Roles = {}
    for role, uid in pairs:
        roles.setdefault(role, []).append(uid)
    return roles


def _asked(catalog: Catalog, given: argparse.Namespace) -> Subscription:
    if given.action == "add":
        project, values = catalog.project(given.project), _given(catalog, given)
        more: Budget = _budget(given)
        return project.subscribe(
            given.template,
            given.on,
            values,
            also_existing=given.also_existing,
            inputs=by_role(given.role),
            priority=given.priority,
            **more,
        )
    found = catalog.subscription(given.uid)
    if given.action == "change":
        budget, takes = _budget(given), found.takes if given.set else {}
        if not budget and not given.set:
            raise BadInput("say --runs, --runs-a-day, --nbytes or --set: what is to be another")
        return found.change(
            {name: value(takes.get(name, {}), v) for name, v in given.set}, **budget
        )
    if given.action == "show":
        return found
    ways = {"pause": found.pause, "resume": found.resume, "end": found.end}
    return ways[given.action]()


def _count_now(catalog: Catalog, given: argparse.Namespace) -> str:
    project = catalog.project(given.project)
    values, roles = _given(catalog, given), by_role(given.role)
    return str(project.estimate(given.template, given.on, values, inputs=roles))


def _given(catalog: Catalog, given: argparse.Namespace) -> dict[str, Any]:
    takes = catalog.template(given.template).parameters if given.set else {}
    return {name: value(takes.get(name, {}), text) for name, text in given.set}


def _budget(given: argparse.Namespace) -> Budget:
    limits = {"runs": given.runs, "runs_a_day": given.runs_a_day, "nbytes": given.nbytes}
    said: Any = {k: None if v == NONE else v for k, v in limits.items() if v is not None}
    told: Budget = said
    return told


def _list(catalog: Catalog, project: str | None, ended: bool) -> None:
    for one in catalog.subscriptions(project, ended=ended):
        facts = dict(one.facts())
        what = f"{facts['template']} on {one.search}"
        told = (one.uid, one.project, what, one.state, facts["images"], one.reason)
        print("  ".join(part for part in told if part))


def _show(one: Subscription, matches: str | None) -> None:
    for name, told in [("uid", one.uid), ("project", one.project), *one.facts()]:
        if told not in ("", None):
            print(f"{name:<15}{told}")
    if matches is not None:
        for match in one.matches(matches or None):
            print("  ".join(filter(None, (match.uid, match.state, match.name, match.reason))))


def _values(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set",
        action="append",
        default=[],
        type=_pair,
        metavar="NAME=VALUE",
        help="of a parameter; may be given several times",
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, said = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=VALUE")
    return name.strip(), said


def _count(text: str) -> int | str:
    if text == NONE:
        return text
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: write a number of runs, or {NONE}")
    return int(text)


COMMAND = Command("subscription", "what runs by itself on new images", arguments, run)
