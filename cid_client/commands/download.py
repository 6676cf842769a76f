"""cid download: what a query finds, as files or as one archive."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..catalog import connect
from ..display import size
from ..downloads.batch import FORMS
from ..errors import Unavailable
from .board import Board
from .command import DONE, LATER, STOPPED, Command

GO_ON = "stopped: the same command goes on where it was"


def arguments(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    command.add_argument("query", help='as in a search: "objective:63x", "" for everything')
    command.add_argument("--project", "-p", metavar="NAME")
    command.add_argument("--dataset", "-d", metavar="PATH", help='as "screen/plate 1"')
    command.add_argument("--as", dest="form", choices=FORMS, default="originals")
    command.add_argument(
        *("--out", "-o"), type=Path, default=Path(), metavar="DIR", help="or a file NAME.zip"
    )
    command.add_argument("--url", help="of the catalog, instead of CID_URL")
    command.add_argument("--token", help="instead of CID_TOKEN")


def run(given: argparse.Namespace) -> int:
    """Download all that is found; what is left out is told."""
    catalog, board = connect(given.url, given.token), Board()

    def tell(fraction: float, text: str) -> None:
        board.show(str(given.out), fraction, text)

    found = catalog.records(given.query, project=given.project, dataset=given.dataset)
    try:
        done = found.download(given.out, given.form, tell)
    except KeyboardInterrupt:
        board.end(str(given.out), GO_ON)
        return STOPPED
    except Unavailable as error:
        board.end(str(given.out), f"{error}; the same command goes on where it was")
        return LATER
    finally:
        catalog.close()
        board.close()
    files = "1 file" if done.files == 1 else f"{done.files} files"
    left = [f"  left out {one.name or one.uid}: {one.why}" for one in done.left_out]
    more = done.left - len(done.left_out)
    left += [f"  and {more} more left out"] if more else []
    board.end(str(given.out), f"{done.path}: {files}, {size(done.nbytes)}", *left)
    return DONE


COMMAND = Command("download", "bring what a query finds here", arguments, run)
