"""What can be said of files on a command line: tags, and the mask that they are held to."""

from __future__ import annotations

import argparse
from typing import Any

from ..uploads.told import plain


def saying(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    command.add_argument(
        *("--tag", "-t"),
        action="append",
        default=[],
        type=tag,
        metavar="KEY=VALUE",
        help="said of every image; may be given several times",
    )
    command.add_argument("--mask", "-m", metavar="NAME", help="what the upload must say")
    command.add_argument("--instrument", metavar="NAME", help="the microscope, whose mask it is")


def said(given: argparse.Namespace) -> dict[str, Any]:
    """Return what is said of all that comes."""
    tags: dict[str, list[str]] = {}
    for key, value in given.tag:
        tags.setdefault(key, []).append(value)
    return plain({"mask": given.mask, "instrument": given.instrument, "tags": tags})


def tag(text: str) -> tuple[str, str]:
    """Return key and value of `KEY=VALUE`."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or not value.strip():
        raise argparse.ArgumentTypeError(f"{text!r}: write KEY=VALUE")
    return key.strip(), value.strip()
