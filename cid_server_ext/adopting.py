"""`jupyter cid adopt | relocate | fixity`: old data that stays where it is. They ask no service."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import operator
from .core.catalog.goals import Goal
from .errors import BadInput

LISTED = 40  # lines for people; --csv has all
COLUMNS = ("fate", "path", "kind", "shown", "files", "bytes", "stored")
COLUMNS += ("team", "project", "dataset")
COLUMNS += ("tags", "mask", "unfit", "rule", "why")


@dataclass(frozen=True, slots=True)
class Rules:
    """Where things go, as a file of rules says; the same `text` is the same rules."""

    judge: Callable[[str, str], tuple[Goal | None, str]]
    text: str


ReadRules = Callable[[Path], Rules]


def adopt(arguments: argparse.Namespace, read_rules: ReadRules) -> int:
    """Show what a tree holds and where the rules put it, bring it in, or take an adoption back."""
    with _catalog(arguments) as (sessions, storage, roots):
        if arguments.undo:
            from .core.ledger.allocations import human
            from .ingest.adopting.bring import take_back

            done = take_back(sessions, storage, arguments.undo, arguments.person)
            print(f"taken back: {done.records} records, {human(done.nbytes)} of views")
            return 0
        return _adopt(arguments, read_rules, sessions, storage, roots)


def _adopt(
    arguments: argparse.Namespace, read_rules: ReadRules, sessions: Any, storage: Any, roots: Any
) -> int:
    from .core.catalog import adoptions
    from .ingest.adopting.bring import Adopting
    from .ingest.adopting.survey import survey
    from .ingest.limits import Limits

    if not arguments.tree or not arguments.rules:
        raise BadInput("say what and how: jupyter cid adopt TREE --rules rules.toml")
    rules = read_rules(Path(arguments.rules))
    top = _place(roots, arguments.tree)
    found = survey(sessions, roots, top, rules.judge, Limits())
    if arguments.csv:
        _write_csv(found, arguments.csv)
    if not arguments.apply:
        _show(found, arguments)
        return 0
    with sessions.begin() as session:
        unit = adoptions.unit(session, *top, rules.text)
    with operator.progress() as told:
        adopting = Adopting(sessions, storage, roots, top[0], unit, arguments.person, told=told)
        brought = adopting.bring(found)
        drawn = 0 if arguments.no_pictures else adopting.pictures()
    if arguments.json:
        operator.say_json(dataclasses.asdict(brought))
    else:
        operator.show([f"not read  {path}: {why}" for path, why in brought.unread.items()])
        operator.show([f"refused  {path}: {why}" for path, why in brought.refused.items()])
        print(f"adoption {unit}: {_things(brought.things)}, {brought.records} records")
        pictures = f"{drawn} thumbnails drawn; " if drawn else ""
        print(f"{pictures}take it back with --undo {unit}")
    return 1 if brought.refused else 0


def relocate(arguments: argparse.Namespace) -> int:
    """Say that adopted files lie elsewhere now; their digests are compared first."""
    from .relocating import relocate as move

    with _catalog(arguments) as (sessions, storage, roots), operator.progress() as told:
        moved = move(
            sessions,
            storage,
            roots,
            _place(roots, arguments.old, there=False),
            _place(roots, arguments.new),
            arguments.person,
            sample=arguments.sample,
            dry=arguments.dry_run,
            told=told,
        )
    operator.show([f"{path}: {why}" for path, why in moved.wrong.items()])
    done = "would move" if arguments.dry_run else "moved"
    print(f"{moved.references} references {done}, {moved.hashed} files compared byte for byte")
    return 1 if moved.wrong else 0


def fixity(arguments: argparse.Namespace) -> int:
    """Look at all adopted files now, as each night; 1: some are changed, moved or missing."""
    from .background.fixity import look

    with _catalog(arguments) as (sessions, storage, roots), operator.progress() as told:
        found = look(sessions, storage, roots, part=1.0 if arguments.deep else 0.0, told=told)
    if arguments.json:
        operator.say_json(dataclasses.asdict(found))
    else:
        operator.show([f"{state}  {path}: {why}" for path, (state, why) in found.faults.items()])
        print(
            f"{found.looked} looked at, {found.hashed} read, {len(found.faults)} not as they were"
        )
    return 1 if found.faults else 0


def add_commands(commands: Any, read_rules: ReadRules) -> None:
    """Add these commands to the parser of `jupyter cid`."""
    command = commands.add_parser("adopt", help="register old data where it lies, without a copy")
    command.add_argument("tree", nargs="?", help="a folder in CID_ADOPT_ROOTS: /path or name:path")
    command.add_argument("--rules", help="a TOML file: what goes where (docs/operator/old-data.md)")
    command.add_argument("--apply", action="store_true", help="do it; else it is only shown")
    command.add_argument("--undo", metavar="ID", help="take a whole adoption back")
    command.add_argument("--csv", help="write the whole table to this file")
    command.add_argument("--no-pictures", action="store_true", help="draw no thumbnails now")
    _common(command)
    command.set_defaults(command=lambda arguments: adopt(arguments, read_rules))

    command = commands.add_parser("relocate", help="adopted files lie elsewhere now")
    command.add_argument("old", help="where they lay: /path or name:path")
    command.add_argument("new", help="where they lie now")
    command.add_argument("--sample", type=float, default=1.0, help="part of the files to hash")
    command.add_argument("--dry-run", action="store_true", help="compare, change nothing")
    _common(command)
    command.set_defaults(command=relocate)

    command = commands.add_parser("fixity", help="look whether adopted files are as they were")
    command.add_argument("--deep", action="store_true", help="read and hash every byte")
    _common(command)
    command.set_defaults(command=fixity)


def _common(command: argparse.ArgumentParser) -> None:
    operator.add_storage(command)
    operator.add_database(command)
    command.add_argument("--person", default="cid", help="who is said to have done it")


@contextmanager
def _catalog(arguments: argparse.Namespace) -> Iterator[tuple[Any, Any, Any]]:
    from .core import names
    from .db.session import open_database
    from .storage.inplace import Roots
    from .storage.roots import Folder

    names.person(arguments.person)
    roots = Roots.read(os.environ.get("CID_ADOPT_ROOTS", ""))
    storage = Folder(operator.storage(arguments).resolve())
    roots.refuse_within(storage.root)
    sessions = open_database(operator.database(arguments))
    try:
        yield sessions, storage, roots
    finally:
        sessions.kw["bind"].dispose()


def _place(roots: Any, said: str, there: bool = True) -> tuple[str, str]:
    """Return root and path of what is said, "/path" or "name:path"."""
    name, colon, path = said.partition(":")
    if colon and name in roots.folders:
        if there:
            roots.path(name, path.strip("/"))
        return name, path.strip("/")
    found: tuple[str, str] = roots.locate(Path(said), there=there)
    return found


def _row(one: Any) -> dict[str, Any]:
    goal = one.goal or Goal("", "")
    return {
        "fate": one.fate,
        "path": one.path,
        "kind": one.reader or "file",
        "shown": one.shown,
        "files": "" if one.form == "tree" else max(1, len(one.members)),
        "bytes": "" if one.form == "tree" else one.nbytes,
        "stored": one.stored,
        "team": goal.team,
        "project": goal.project,
        "dataset": goal.dataset,
        "tags": "; ".join(f"{key}={value}" for key, value in sorted(goal.tags.items())),
        "mask": goal.mask,
        "unfit": "; ".join(one.unfit),
        "rule": goal.rule,
        "why": one.why,
    }


def _write_csv(found: list[Any], path: str) -> None:
    with open(path, "w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(map(_row, found))


def _show(found: list[Any], arguments: argparse.Namespace) -> None:
    if arguments.json:
        operator.say_json({"things": [_row(one) for one in found]})
        return
    from .core.ledger.allocations import human

    lines = []
    for row in map(_row, found):
        place = "/".join(part for part in (row["project"], row["dataset"]) if part)
        what = f"{row['fate']}  {json.dumps(row['path'], ensure_ascii=False)}  {row['kind']}"
        unfit = f"(unfit: {row['unfit']})" if row["unfit"] else ""
        shown = "(no picture)" if row["shown"] == "no picture" and row["kind"] != "file" else ""
        told = row["why"] or " ".join(filter(None, (f"-> {place}", row["tags"], shown, unfit)))
        lines.append(f"{what}  {told}".encode(errors="backslashreplace").decode())
    operator.show(lines, LISTED, "--csv writes all")
    for fate in ("new", "there", "quarantine"):
        some = [one for one in found if one.fate == fate]
        if not some:
            continue
        here, stored = sum(one.nbytes for one in some), sum(one.stored for one in some)
        room = f", about {human(stored)} to be stored" if fate == "new" else ""
        print(f"{fate}: {_things(len(some))}, {human(here)} in place{room}")
    if not found:
        print("nothing lies there")
    for project, stored in sorted(_by_project(found).items()):
        print(f"project {project}: about {human(stored)} of its allocation")
    print("nothing was changed; --apply does it", file=sys.stderr)


def _things(number: int) -> str:
    return f"{number} thing" if number == 1 else f"{number} things"


def _by_project(found: list[Any]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for one in found:
        if one.fate == "new":
            sums[one.goal.project] = sums.get(one.goal.project, 0) + one.stored
    return sums
