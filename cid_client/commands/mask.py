"""cid mask: what an upload must say, shown, checked and saved as YAML."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from ..catalog import Catalog, connect
from ..errors import BadInput
from .command import DONE, REFUSED, Command


def arguments(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    actions = command.add_subparsers(required=True, metavar="ACTION", dest="action")
    told = "print the YAML of a mask, or all masks"
    show = actions.add_parser("show", help=told, description=told)
    show.add_argument("name", nargs="?", help="of a mask; none: list all")
    show.add_argument("--version", type=int, metavar="N", help="an earlier one")
    told = "say what is wrong in a YAML file, and what files of these names would say"
    check = actions.add_parser("check", help=told, description=told)
    check.add_argument("file", type=Path, metavar="FILE.yaml")
    check.add_argument("name", nargs="*", help="of a file, which need not be there")
    told = "save a YAML file as a new mask, or the next version (staff)"
    save = actions.add_parser("save", help=told, description=told)
    save.add_argument("file", type=Path, metavar="FILE.yaml")
    save.add_argument("--note", default="", help="why")
    for action in (show, check, save):
        action.add_argument("--url", help="of the catalog, instead of CID_URL")
        action.add_argument("--token", help="instead of CID_TOKEN")


def run(given: argparse.Namespace) -> int:
    """Do what is asked."""
    catalog = connect(given.url, given.token)
    try:
        return {"show": _show, "check": _check, "save": _save}[given.action](catalog, given)
    finally:
        catalog.close()


def lines(error: BadInput) -> Iterable[str]:
    """Return a refusal line by line: each field, or what it says where it is about none."""
    return [str(one) for one in error.fields] or [str(error)]


def _show(catalog: Catalog, given: argparse.Namespace) -> int:
    if given.name is None:
        for mask in catalog.masks:
            print("  ".join(str(value) for _, value in mask.facts() if value != ""))
        return DONE
    mask = catalog.masks[given.name]
    print(mask.at(given.version).text if given.version else mask.text, end="")
    return DONE


def _check(catalog: Catalog, given: argparse.Namespace) -> int:
    found = catalog.masks.check(given.name, source=given.file)
    for line in found.lines():
        print(line)
    if found.good and not found.files:
        print(f"{given.file}: good")
    return DONE if found.good else REFUSED


def _save(catalog: Catalog, given: argparse.Namespace) -> int:
    try:
        mask = catalog.masks.save(given.file, given.note)
    except BadInput as error:
        for line in lines(error):
            print(f"{given.file}: {line}")
        return REFUSED
    print(f"{mask.name}: version {mask.version}")
    return DONE


COMMAND = Command("mask", "show, check and save what an upload must say", arguments, run)
