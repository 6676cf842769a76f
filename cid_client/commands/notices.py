"""cid notices: what I am told, marked as read when it was shown; and by mail, or not."""

from __future__ import annotations

import argparse

from ..catalog import connect
from .command import DONE, Command

NONE = "no new notices"


def arguments(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    command.add_argument("--all", action="store_true", help="those that were read, too")
    command.add_argument("--mail", choices=("none", "each", "daily"), help="have them by mail")
    command.add_argument("--address", default="", metavar="ADDRESS", help="where mail goes")
    command.add_argument("--url", help="of the catalog, instead of CID_URL")
    command.add_argument("--token", help="instead of CID_TOKEN")


def run(given: argparse.Namespace) -> int:
    """Show them, or say how they come by mail."""
    catalog = connect(given.url, given.token)
    try:
        if given.mail is not None:
            told = catalog.mail(given.mail, given.address)
            sent = "" if told["sent"] else "; this facility sends no mail yet"
            print(f"by mail: {told['mail']} {told['address']}".rstrip() + sent)
            return DONE
        found = catalog.notices(unread=not given.all, limit=200)
        for notice in reversed(found):
            print(notice)
        if not found:
            print(NONE)
        catalog.read_notices(found)
    finally:
        catalog.close()
    return DONE


COMMAND = Command("notices", "what I am told", arguments, run)
