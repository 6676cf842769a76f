"""cid template: what can be run; published, compared and withdrawn."""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

from ..catalog import Catalog, connect
from ..errors import BadInput
from ..runs.templates import Template
from .command import DONE, Command


def arguments(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    actions = command.add_subparsers(required=True, metavar="ACTION", dest="action")

    def action(name: str, told: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=told, description=told)
        made.add_argument("--url", help="of the catalog, instead of CID_URL")
        made.add_argument("--token", help="instead of CID_TOKEN")
        return made

    listed = action("list", "what I may run, the newest version of each")
    listed.add_argument("--project", "-p", metavar="NAME", help="only its own")
    shown = action("show", "one of them: its parameters and its versions")
    shown.add_argument("--schema", action="store_true", help="its parameters as JSON Schema")
    publish = action("publish", "publish a template's folder (staff; contributors of a project)")
    publish.add_argument("folder", type=Path, metavar="DIR")
    publish.add_argument("--project", "-p", metavar="NAME", help="as this project's own")
    publish.add_argument("--changelog", default="", metavar="TEXT", help="what changed")
    diff = action("diff", "what changed from a version to another, or to the newest")
    withdraw = action("withdraw", "let nobody run a version any more (staff, its publisher)")
    promote = action("promote", "make a project's template the facility's (staff)")
    for one in (shown, diff, withdraw, promote):
        told = "name, name@1.2.0, project:name"
        one.add_argument("template", metavar="TEMPLATE", help=told)
    diff.add_argument("to", nargs="?", metavar="VERSION")
    withdraw.add_argument("--reason", required=True, metavar="TEXT", help="for those who used it")
    promote.add_argument("--changelog", default="", metavar="TEXT", help="what changed")


def run(given: argparse.Namespace) -> int:
    """Do what is asked, and show how it stands then."""
    catalog = connect(given.url, given.token)
    try:
        if given.action == "list":
            for one in catalog.templates(given.project):
                print("  ".join((one.reference, one.version, one.title)))
        elif given.action == "show":
            _show(catalog.template(given.template), given.schema)
        elif given.action == "diff":
            print(catalog.template(given.template).diff(given.to))
        else:
            told = _changed(catalog, given)
            print(f"{told.reference} {told.version}  {told.digest}")
    finally:
        catalog.close()
    return DONE


def _changed(catalog: Catalog, given: argparse.Namespace) -> Template:
    if given.action == "publish":
        raw, notebook = _read(given.folder)
        return catalog.publish(raw, notebook, changelog=given.changelog, project=given.project)
    found = catalog.template(given.template)
    if given.action == "promote":
        return found.promote(given.changelog)
    if "@" not in given.template:
        raise BadInput(f"say which version: {found.reference}@{found.version}")
    return found.withdraw(given.reason)


def _show(one: Template, schema: bool) -> None:
    if schema:
        print(json.dumps(one.schema, indent=2, ensure_ascii=False))
        return
    for word, value in one.facts()[:-1]:
        if value not in ("", None):
            print(f"{word:<12}{value}")
    for name, told in one.parameters.items():
        parts = (told["type"], f"default {told['default']!r}", told["unit"], told["help"])
        print(f"  {name:<14}{'  '.join(part for part in parts if part)}")
    for version in one.versions():
        ended = version.withdrawn
        news = f"withdrawn: {ended['reason']}" if ended else version.changelog
        print(f"  {version.version:<14}{version.created_at[:10]}  {news}")


def _read(folder: Path) -> tuple[dict[str, Any], str]:
    """Return a template's manifest and notebook, or raise BadInput naming what is not right."""
    try:
        raw = tomllib.loads((folder / "template.toml").read_text("utf-8"))
        return raw, (folder / "template.ipynb").read_text("utf-8")
    except OSError as error:
        raise BadInput(f"{error.filename}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"template.toml: {error}") from None


COMMAND = Command("template", "what can be run, and its versions", arguments, run)
