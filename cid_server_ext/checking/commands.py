"""`jupyter cid template check | publish`: a template's folder, looked at and made public."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cid_client

from ..core.templates import manifest as manifests
from ..core.templates import notebooks
from ..errors import BadInput


def check(arguments: argparse.Namespace) -> int:
    """Say of each part of a template whether it is right, and run its truth cases; 1: it is not."""
    folder = Path(arguments.folder)
    raw, notebook = read(folder)
    wrong = 0
    for what, complaints in _parts(folder, raw, notebook, arguments.no_truth):
        listed = list(complaints)
        wrong += len(listed)
        print(f"{'wrong' if listed else 'right'}  {what}", flush=True)
        for line in listed:
            print(f"       {line}", flush=True)
    print(f"{wrong} to mend" if wrong else "ready to publish")
    return 1 if wrong else 0


def publish(arguments: argparse.Namespace) -> int:
    """Publish a template folder's template.toml and template.ipynb. Staff may, or contributors."""
    raw, notebook = read(Path(arguments.folder))
    catalog = cid_client.connect(arguments.url, arguments.token)
    told = {"changelog": arguments.changelog, "project": arguments.project}
    template = catalog.publish(raw, notebook, **told)
    print(f"{template.reference} {template.version}  {template.digest}")
    return 0


def read(folder: Path) -> tuple[dict[str, Any], str]:
    """Return a template's manifest and notebook, or raise BadInput naming what is not there."""
    try:
        raw = tomllib.loads((folder / "template.toml").read_text("utf-8"))
        return raw, (folder / "template.ipynb").read_text("utf-8")
    except OSError as error:
        raise BadInput(f"{error.filename}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"template.toml: {error}") from None


def add_commands(commands: Any, as_person: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add `template` and what can be done with one."""
    command = commands.add_parser("template", help="check and publish templates")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    command = actions.add_parser(
        "check", help="look at a template's folder and run its truth cases"
    )
    command.add_argument("folder")
    command.add_argument("--no-truth", action="store_true", help="leave its truth cases out")
    command.set_defaults(command=check)
    command = actions.add_parser("publish", help="publish a template's folder (staff)")
    command.add_argument("folder")
    command.add_argument("--project", metavar="NAME", help="as the project's own (contributors)")
    command.add_argument("--changelog", default="", metavar="TEXT", help="what changed")
    as_person(command)
    command.set_defaults(command=publish)


def _parts(
    folder: Path, raw: dict[str, Any], notebook: str, no_truth: bool
) -> Iterator[tuple[str, Iterator[str] | list[str]]]:
    """Yield each part with what is wrong with it; a part that others need ends it."""
    try:
        manifest = manifests.read(raw)
    except BadInput as error:
        yield "template.toml", [str(error)]
        return
    yield "template.toml", []
    yield "README.md", [] if (folder / "README.md").is_file() else ["it is missing"]
    found = list(notebooks.problems(manifest, notebook))
    yield "template.ipynb", found
    if no_truth or found:
        return
    if not manifest.truth:
        yield "truth", ["there is no case: a template shows on known pictures that it is right"]
        return
    yield from _truth(folder, manifest, raw, notebook)


def _truth(
    folder: Path, manifest: manifests.Manifest, raw: dict[str, Any], notebook: str
) -> Iterator[tuple[str, list[str]]]:
    from . import truth  # these take a second that no other command needs
    from .catalog import own_catalog

    scratch = Path(tempfile.mkdtemp(prefix="cid-check-"))
    try:
        with own_catalog(scratch) as catalog:
            body = {"name": truth.PROJECT, "team": truth.PROJECT, "limit": truth.ROOM}
            catalog.session.send("POST", "projects", body)
            catalog.publish(raw, notebook)
            name = manifest.template.name
            for case in truth.run(catalog, name, manifest.truth, folder, scratch):
                said = f": {case.found}" if case.found else ""
                yield f"truth: {case.name}{said}", list(case.wrong)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
