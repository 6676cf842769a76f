"""Which names may become paths below a root: plain, portable, and never a way out."""

from __future__ import annotations

import re

from ..errors import BadInput

LONGEST_NAME = 255  # bytes in one part, the limit of every file system we meet
LONGEST_KEY = 3000  # bytes in all, below PATH_MAX with room for the root

# Names that Windows takes for devices, with or without a suffix: a store must survive a copy there.
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
# Signs that make a name read as another one (right-to-left override and its kin).
DISGUISE = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def parts(key: str) -> tuple[str, ...]:
    """Return the parts of `key`, "a/b/c", or raise BadInput and say which rule it breaks."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise BadInput("a name holds characters that are not Unicode: rename it") from None
    if size > LONGEST_KEY:
        raise BadInput("a path is longer than 3000 bytes: use shorter folder names")
    found = tuple(key.split("/"))
    for part in found:
        if fault := _fault(part):
            raise BadInput(f"the name {part[:60]!r} {fault}: rename it")
    return found


def _fault(part: str) -> str:
    if not part:
        return "is empty"
    if part in {".", ".."}:
        return "leads out of its folder"
    if "\\" in part:
        return "holds a backslash"
    if CONTROL.search(part):
        return "holds a control character"
    if DISGUISE.intersection(part):
        return "holds a sign that changes the reading direction"
    if part[-1] in ". ":
        return "ends with a dot or a blank"
    if RESERVED.fullmatch(part):
        return "is reserved on Windows"
    if len(part.encode()) > LONGEST_NAME:
        return "is longer than 255 bytes"
    return ""
