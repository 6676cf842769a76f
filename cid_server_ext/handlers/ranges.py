"""Which bytes of a file a request asks for, and whether it has them already (RFC 9110)."""

from __future__ import annotations

import re

from ..errors import BadInput

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Unsatisfiable(BadInput):
    """The range lies past the end of the file."""

    status = 416

    @property
    def name(self) -> str:
        """A word of the tree: to a client this is bad input like any other."""
        return "BadInput"


def wanted(header: str, size: int) -> tuple[int, int] | None:
    """Return (start, stop) of the one range asked for; None where all of the file is the answer.

    A header that is no range, or several, is ignored, as the RFC allows.
    """
    asked = RANGE.fullmatch(header.strip())
    if asked is None or asked.groups() == ("", ""):
        return None
    first, last = asked.groups()
    if first and last and int(last) < int(first):
        return None
    if first:
        start, stop = int(first), min(int(last) + 1 if last else size, size)
    else:
        start, stop = max(0, size - int(last)), size
    if start >= stop:
        raise Unsatisfiable("the file has no such bytes")
    return start, stop


def matches(header: str | None, etag: str) -> bool:
    """Say whether If-None-Match names this ETag (weak comparison, as for any GET)."""
    named = [part.strip().removeprefix("W/") for part in (header or "").split(",")]
    return etag in named or "*" in named
