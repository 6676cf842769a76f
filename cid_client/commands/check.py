"""cid check: what files and folders would become, before anything of them is in the catalog."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..catalog import Catalog, connect
from ..display import size
from ..uploads.checked import Checked
from ..wire import waiting
from .command import DONE, REFUSED, Command
from .saying import said, saying


def arguments(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    command.add_argument("path", nargs="+", type=Path, help="files and folders")
    command.add_argument("--project", "-p", required=True, metavar="NAME")
    command.add_argument("--dataset", "-d", default="", metavar="PATH", help='as "screen/plate 1"')
    saying(command)
    command.add_argument("--url", help="of the catalog, instead of CID_URL")
    command.add_argument("--token", help="instead of CID_TOKEN")


def run(given: argparse.Namespace) -> int:
    """Check each path, show its table, and leave nothing in the catalog."""
    catalog = connect(given.url, given.token)
    good = True
    try:
        for path in given.path:
            checked = shown(catalog, path, given.project, given.dataset, said(given))
            checked.drop()
            good = good and checked.good
    finally:
        catalog.close()
    return DONE if good else REFUSED


def shown(
    catalog: Catalog, path: Path, project: str, dataset: str, told: dict[str, Any]
) -> Checked:
    """Check a path and show its table."""
    with waiting.line(sys.stderr.isatty()) as line:

        def tell(fraction: float, text: str) -> None:
            line(f"{path.name}  {waiting.bar(fraction)} {fraction:4.0%}  {text}")

        checked = catalog.check(path, project, dataset, on_progress=tell, **told)
    print(*checked.lines(), sep="\n")
    print(f"{size(checked.sent)} sent; it would take {size(checked.nbytes)} of the project's room")
    return checked


COMMAND = Command("check", "say what files and folders would become", arguments, run)
