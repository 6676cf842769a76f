"""`jupyter cid migrate | export | rebuild | verify | reconcile | quality`: database and storage.

They ask no service. Nothing heavy is imported before a command is chosen.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import BadInput

LISTED = 50  # lines of a list for people; --json has all


def migrate(arguments: argparse.Namespace) -> int:
    """Bring the database to this release's schema."""
    from .memory.migration import to_newest

    to_newest(database(arguments))
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Write the canonical export: equal catalogs give equal bytes."""
    from .core.memory.export import canonical
    from .db.session import open_database, reading

    sessions = open_database(database(arguments))
    try:
        with reading(sessions) as session, _output(arguments.output) as file:
            for line in canonical(session):
                file.write(line)
    finally:
        sessions.kw["bind"].dispose()
    return 0


def rebuild(arguments: argparse.Namespace) -> int:
    """Make the catalog again from storage; 0: as it was, 2: something is lost, and listed."""
    from .memory.rebuild import rebuild as from_storage

    with progress() as told:
        report = from_storage(storage(arguments), database(arguments), told)
    if arguments.json:
        say_json({**dataclasses.asdict(report), "whole": report.whole})
        return 0 if report.whole else 2
    total = sum(report.rows.values())
    print(f"{report.lines} journal entries, {total} rows, {report.seconds:.1f} s")
    for damage in report.damages:
        print(f"{damage.kind}  {damage.segment} line {damage.number}: {_told(damage)}")
    show([f"lost  the beginning of {table} {_key(key)}" for table, key in report.lost])
    show([f"{m.done}  {m.table} {_key(m.key)}: {m.column}" for m in report.mended])
    print("the catalog is as it was" if report.whole else "the catalog is there, with losses")
    return 0 if report.whole else 2


def verify(arguments: argparse.Namespace) -> int:
    """Compare storage with the catalog; 0: valid, 1: incomplete, 2: invalid. Changes nothing."""
    from .memory.verify import verify as compare
    from .storage.inplace import Roots

    roots = Roots.read(os.environ.get("CID_ADOPT_ROOTS", ""))
    with progress() as told:
        report = compare(
            storage(arguments), arguments.database, deep=arguments.deep, told=told, roots=roots
        )
    if arguments.json:
        say_json({**dataclasses.asdict(report), "state": report.state})
        return report.status
    for fault in report.faults:
        print(f"{fault.notion}  {fault.key}: {fault.reason}")
    show([f"in progress  {key}" for key in report.in_progress])
    print(f"{report.records} records, {report.entries} journal entries: {report.state}")
    return report.status


def reconcile(arguments: argparse.Namespace) -> int:
    """Compare the bytes counted with those on storage now, as each night; 1: they differ."""
    from .db.session import open_database
    from .memory.reconcile import reconcile as compare
    from .storage.reconciled import keep
    from .storage.roots import Folder

    root, sessions = Folder(storage(arguments)), open_database(database(arguments))
    try:
        found = compare(sessions, root)
    finally:
        sessions.kw["bind"].dispose()
    assert found is not None  # nobody stopped it
    keep(root.root, found)
    if arguments.json:
        say_json(dataclasses.asdict(found))
    else:
        for uid, keys in found.differing.items():
            name, nbytes = found.names[uid], found.drift_of(uid)
            print(f"project {name}: {nbytes:+d} bytes, first {keys[0]}")
        drift = sum(found.drift.values())
        print(f"{found.records} records: {drift:+d} bytes, {found.strangers} bytes of no record")
    return 1 if found.differing or found.strangers else 0


def quality(arguments: argparse.Namespace) -> int:
    """Measure images again whose quality has an older version; 1: some could not be measured."""
    from .db.session import open_database
    from .measuring import measure_again
    from .storage.inplace import Roots
    from .storage.quality import VERSION
    from .storage.roots import Folder

    root, sessions = Folder(storage(arguments)), open_database(database(arguments))
    roots = Roots.read(os.environ.get("CID_ADOPT_ROOTS", ""))
    older, dry = arguments.older_than_version or VERSION, arguments.dry_run
    try:
        with progress() as told:
            found = measure_again(
                sessions,
                root,
                project=arguments.project,
                older_than=older,
                most=arguments.most,
                dry=dry,
                roots=roots,
                told=told,
            )
    finally:
        sessions.kw["bind"].dispose()
    if arguments.json:
        say_json(dataclasses.asdict(found))
    else:
        show([f"{uid}: {reason}" for uid, reason in found.failed.items()])
        done = "to measure" if dry else f"older than version {older}, {found.measured} measured"
        print(f"{found.older} images {done}")
    return 1 if found.failed else 0


def add_commands(commands: Any) -> None:
    """Add these commands to the parser of `jupyter cid`."""
    command = commands.add_parser("migrate", help="bring the database to this release's schema")
    add_database(command)
    command.set_defaults(command=migrate)

    command = commands.add_parser("export", help="write everything the catalog remembers")
    command.add_argument("--canonical", action="store_true", required=True)
    command.add_argument("-o", "--output", help="a file (default: standard output)")
    add_database(command)
    command.set_defaults(command=export)

    command = commands.add_parser("rebuild", help="make the catalog again from storage alone")
    add_storage(command)
    add_database(command)
    command.set_defaults(command=rebuild)

    command = commands.add_parser("verify", help="compare storage with the catalog")
    add_storage(command)
    command.add_argument("--database", help="SQLAlchemy URL (default: the journal on storage)")
    command.add_argument("--deep", action="store_true", help="read and hash every byte")
    command.set_defaults(command=verify)

    command = commands.add_parser("reconcile", help="compare bytes counted with those on storage")
    add_storage(command)
    add_database(command)
    command.set_defaults(command=reconcile)

    command = commands.add_parser("quality", help="measure the quality of images again")
    command.add_argument("--project", help="only of this project")
    command.add_argument("--older-than-version", type=int, help="(default: this release's)")
    command.add_argument("--most", type=int, help="at most so many images, then stop")
    command.add_argument("--dry-run", action="store_true", help="count them, measure nothing")
    add_storage(command)
    add_database(command)
    command.set_defaults(command=quality)


def add_database(command: argparse.ArgumentParser) -> None:
    """Let a command be told its database."""
    command.add_argument("--database", help="SQLAlchemy URL (default: CID_DATABASE)")


def add_storage(command: argparse.ArgumentParser) -> None:
    """Let a command be told its storage, and how to report."""
    command.add_argument("--storage", help="the storage folder (default: CID_STORAGE)")
    command.add_argument("--json", action="store_true", help="print the whole report as JSON")


def database(arguments: argparse.Namespace) -> str:
    """Return the database's URL, or raise BadInput."""
    url = arguments.database or os.environ.get("CID_DATABASE")
    if not url:
        raise BadInput("say which database: --database URL or CID_DATABASE")
    return str(url)


def storage(arguments: argparse.Namespace) -> Path:
    """Return the storage folder, or raise BadInput."""
    said = arguments.storage or os.environ.get("CID_STORAGE")
    if not said:
        raise BadInput("say which storage: --storage FOLDER or CID_STORAGE")
    folder = Path(said)
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder")
    return folder


@contextmanager
def _output(name: str | None) -> Iterator[Any]:
    if name is None:
        yield sys.stdout.buffer
        return
    with open(name, "wb") as file:
        yield file


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total or None
        )


def say_json(report: dict[str, Any]) -> None:
    """Print a whole report."""
    print(json.dumps(report, indent=1, default=str))


def show(lines: list[str], most: int = LISTED, more: str = "--json lists all") -> None:
    """Print a list for people."""
    for line in lines[:most]:
        print(line)
    if len(lines) > most:
        print(f"... and {len(lines) - most} more; {more}")


def _told(damage: Any) -> str:
    if damage.first is None:
        return f"{damage.reason}; no entry is lost"
    last = "the end" if damage.last is None else f"{damage.last}"
    return f"{damage.reason}; entries {damage.first} to {last} may be lost"


def _key(key: tuple[Any, ...]) -> str:
    return ", ".join(map(str, key))
