"""cid run: begin a template on images, and look at, stop, repeat or compare runs and batches."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..catalog import Catalog, connect
from ..errors import BadInput, NotFound, RunFailed
from ..runs.batch import Batch
from ..runs.orders import Order
from ..runs.runs import Run
from ..runs.steps import Step
from . import shown
from .command import DONE, REFUSED, Command
from .subscription import Roles, by_role, value

ACTIONS = {
    "show": "a run or batch: how far it is, what came out, why it failed",
    "cancel": "stop it",
    "pause": "let what is queued wait",
    "resume": "let it go on",
    "retry": "run again what failed",
    "replay": "run the same once more, and with --wait compare what came out",
    "diff": "what differs between two runs",
}
NO_ANSWER = "say --yes to begin without being asked"


def arguments(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    told = "\n".join(f"  {name:<8}{what}" for name, what in ACTIONS.items())
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = f"instead of a template, with the UID of a run or batch:\n{told}"
    command.add_argument("what", metavar="TEMPLATE", help=f"or one of {', '.join(ACTIONS)}")
    command.add_argument("uid", nargs="*", metavar="UID")
    command.add_argument("--in", dest="query", metavar="QUERY", help="run it on all this finds")
    command.add_argument("--image", "-i", action="append", default=[], metavar="UID")
    command.add_argument("--csv", type=Path, metavar="FILE", help="an image and its values a row")
    command.add_argument("--project", metavar="NAME", help="where names in the CSV are looked for")
    command.add_argument(
        *("-p", "--set"), action="append", default=[], type=_pair, metavar="NAME=VALUE"
    )
    command.add_argument("--role", action="append", default=[], type=_pair, metavar="ROLE=UID")
    command.add_argument("--priority", type=int, default=0, metavar="N")
    command.add_argument(
        *("--then", "-t"),
        action="append",
        default=[],
        metavar="STEP",
        help="what follows each run, such as 'measure-cells sigma=1 image=labels:cells'",
    )
    command.add_argument("--wait", action="store_true", help="until all has ended")
    command.add_argument("--yes", "-y", action="store_true", help="do not ask before it begins")
    command.add_argument("--json", action="store_true", help="what the catalog says, as JSON")
    command.add_argument("--url", help="of the catalog, instead of CID_URL")
    command.add_argument("--token", help="instead of CID_TOKEN")


def run(given: argparse.Namespace) -> int:
    """Do what is asked; 1 where something ended without results."""
    catalog = connect(given.url, given.token)
    try:
        if given.what in ACTIONS:
            return _act(catalog, given)
        if given.uid:
            raise BadInput(
                f"{given.uid[0]!r}: what is it? images are given by --in, --image, --csv"
            )
        return _begin(catalog, given)
    finally:
        catalog.close()


def _begin(catalog: Catalog, given: argparse.Namespace) -> int:
    ways = [given.query is not None, bool(given.image), given.csv is not None]
    if sum(ways) != 1:
        raise BadInput("say on what: one of --in QUERY, --image UID, --csv FILE")
    takes = catalog.template(given.what).parameters if given.set else {}
    values = {name: value(takes.get(name, {}), text) for name, text in given.set}
    roles = by_role(given.role)
    if given.csv is not None:
        if given.then:
            raise BadInput("--then follows --in and --image, not --csv")
        return _table(catalog, given, roles, values)
    then = [_step(catalog, text) for text in given.then]
    order = Order(
        given.what, given.image, values, roles, given.priority, query=given.query, then=then
    )
    found = catalog.look(order)
    print(found, file=sys.stderr)
    if not found:
        return REFUSED
    if not _agreed(given, f"Run it on {len(found.images)}?"):
        return REFUSED
    return _started(given, catalog.submit(order))


def _step(catalog: Catalog, text: str) -> Step:
    """Return the step that is said as `measure-cells sigma=1 image=labels:cells`."""
    try:
        name, *words = shlex.split(text) or [""]
        pairs = [_pair(word) for word in words]
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise BadInput(f"--then {text!r}: {error}") from None
    takes = catalog.template(name).parameters
    values = {key: value(takes[key], said) for key, said in pairs if key in takes}
    return Step(name, {key: said for key, said in pairs if key not in takes}, **values)


def _table(
    catalog: Catalog, given: argparse.Namespace, roles: Roles, values: dict[str, Any]
) -> int:
    text = given.csv.read_text("utf-8-sig")
    found = catalog.preview_table(given.what, text, given.project, roles, given.priority, **values)
    print(found, file=sys.stderr)
    if not found:
        return REFUSED
    if not _agreed(given, f"Run {found.rows} rows?"):
        return REFUSED
    asked = (given.what, text, given.project, roles, given.priority)
    return _started(given, catalog.run_table(*asked, **values))


def _agreed(given: argparse.Namespace, question: str) -> bool:
    """Ask who sits there; a script says --yes."""
    if given.yes:
        return True
    if not sys.stdin.isatty():
        raise BadInput(NO_ANSWER)
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _started(given: argparse.Namespace, batch: Batch) -> int:
    if not given.wait:
        _tell(given, batch, lambda: print(f"{batch.uid}  {len(batch)} queued"))
        return DONE
    print(batch.uid, file=sys.stderr)
    return _waited(given, batch)


def _waited(given: argparse.Namespace, what: Run | Batch) -> int:
    """Wait for it and for what follows it; tell each, or as JSON the last."""
    ended = _until_ended(given, what)
    if (following := what.next) is None:
        if given.json:
            _tell(given, what, lambda: None)
        return ended
    return max(ended, _waited(given, following))


def _until_ended(given: argparse.Namespace, what: Run | Batch) -> int:
    ended = DONE
    try:
        shown.wait(what)
    except RunFailed as error:
        print(f"cid: {error}", file=sys.stderr)
        ended = REFUSED
    if not given.json:
        shown.show(what)
    return ended


def _act(catalog: Catalog, given: argparse.Namespace) -> int:
    if len(given.uid) != (2 if given.what == "diff" else 1):
        raise BadInput(
            f"cid run {given.what} takes {'two UIDs' if given.what == 'diff' else 'a UID'}"
        )
    if given.what == "diff":
        told = _run(catalog, given.uid[0]).diff(given.uid[1])
        _say(given, told.told, lambda: shown.diff(told))
        return DONE
    if given.what == "replay":
        return _replay(given, _run(catalog, given.uid[0]).replay())
    what = _found(catalog, given.uid[0])
    if given.what != "show":
        getattr(what, given.what)()
    if given.wait:
        return _waited(given, what)
    _tell(given, what, lambda: shown.show(what))
    return DONE


def _replay(given: argparse.Namespace, made: Run) -> int:
    if not given.wait:
        _tell(given, made, lambda: print(f"{made.uid}  {made.state}"))
        return DONE
    if (ended := _waited(given, made)) == DONE and not given.json:
        print(made.replay_result())
    return ended


def _run(catalog: Catalog, uid: str) -> Run:
    return Run(catalog.session, {"uid": uid}).refresh()


def _found(catalog: Catalog, uid: str) -> Run | Batch:
    """Return the run of that name, or the batch."""
    try:
        return _run(catalog, uid)
    except NotFound:
        return catalog.batch(uid)


def _tell(given: argparse.Namespace, what: Run | Batch, plainly: Callable[[], None]) -> None:
    if given.json and not what.record.get("state"):
        what.refresh()
    _say(given, what.record, plainly)


def _say(given: argparse.Namespace, record: Any, plainly: Callable[[], None]) -> None:
    if given.json:
        print(json.dumps(record, indent=1))
    else:
        plainly()


def _pair(text: str) -> tuple[str, str]:
    name, equals, said = text.partition("=")
    if not equals or not name.strip() or not said:
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=VALUE")
    return name.strip(), said


COMMAND = Command("run", "run a template, and look after runs", arguments, run)
