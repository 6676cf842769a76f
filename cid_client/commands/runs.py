"""cid runs: my batches, newest first, or the runs of one."""

from __future__ import annotations

import argparse
import json
import sys

from ..catalog import connect
from . import shown
from .command import DONE, Command


def arguments(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    command.add_argument("--project", metavar="NAME", help="of one project, also by others")
    command.add_argument("--all", action="store_true", help="of others too")
    command.add_argument("--batch", metavar="UID", help="the runs of one batch")
    command.add_argument("--limit", type=int, default=20, metavar="N")
    command.add_argument("--json", action="store_true", help="what the catalog says, as JSON")
    command.add_argument("--url", help="of the catalog, instead of CID_URL")
    command.add_argument("--token", help="instead of CID_TOKEN")


def run(given: argparse.Namespace) -> int:
    """List them."""
    catalog = connect(given.url, given.token)
    try:
        if given.batch is not None:
            runs = list(catalog.batch(given.batch).runs)
            if given.json:
                print(json.dumps([one.record for one in runs], indent=1))
            else:
                shown.runs(runs)
            return DONE
        mine = not given.all and given.project is None
        found = catalog.batches(project=given.project, mine=mine, limit=given.limit)
        if given.json:
            print(json.dumps([one.record for one in found], indent=1))
        else:
            shown.batches(found)
        if (unread := catalog.notices(unread=True, limit=1).unread) and not given.json:
            print(f"{unread} new notices: cid notices", file=sys.stderr)
    finally:
        catalog.close()
    return DONE


COMMAND = Command("runs", "my batches, or the runs of one", arguments, run)
