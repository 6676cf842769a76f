"""cid: the catalog on a command line.

It connects as `cid_client.connect()` does: CID_URL and CID_TOKEN, or --url and --token.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .commands import (
    agent,
    check,
    download,
    mask,
    notices,
    run,
    runs,
    subscription,
    template,
    upload,
    verify_run,
)
from .commands.command import LATER, REFUSED, STOPPED, USAGE
from .errors import CidError, NotConfigured, Unavailable

TABLE = (
    upload.COMMAND,
    check.COMMAND,
    download.COMMAND,
    mask.COMMAND,
    run.COMMAND,
    runs.COMMAND,
    notices.COMMAND,
    subscription.COMMAND,
    template.COMMAND,
    verify_run.COMMAND,
    agent.COMMAND,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Do one command and return its exit code; what is refused is told in one line."""
    given = _parser().parse_args(argv)
    try:
        return int(given.run(given))
    except KeyboardInterrupt:
        return STOPPED
    except (CidError, OSError) as error:
        print(f"cid: {error}", file=sys.stderr)
        if isinstance(error, NotConfigured):
            return USAGE
        return LATER if isinstance(error, Unavailable) else REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cid", description=(__doc__ or "").strip())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in TABLE:
        added = commands.add_parser(command.name, help=command.help, description=command.help)
        command.arguments(added)
        added.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
