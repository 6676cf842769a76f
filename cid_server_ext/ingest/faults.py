"""What a depositor is told when an import fails: the cause in a line, and the way out."""

from __future__ import annotations

import errno
import logging
import os
import re
from typing import Any

from ..errors import CidError, WrongDigest

log = logging.getLogger(__name__)

FULL = "the storage is full: nothing of this was kept; ask staff for room, then try again"
LOCKED = "the storage takes no bytes now: nothing of this was kept; ask staff, then try again"
STORAGE = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: LOCKED,
    errno.EACCES: LOCKED,
    errno.EIO: "the storage cannot read or write these bytes: ask staff, then try again",
}
# libraries that write in threads of their own tell the number in words
WORDS = {os.strerror(number): number for number in STORAGE if number != errno.EACCES}
PATH = re.compile(r"/[^\s\"':]*/")


def of_storage(error: Exception) -> str | None:
    """Return what is told of a storage that fails; None: it is not the storage's fault."""
    number = getattr(error, "errno", None)
    if number not in STORAGE:
        text = str(error)
        number = next((number for words, number in WORDS.items() if words in text), None)
    return STORAGE.get(number) if number is not None else None


def not_written(error: Exception) -> str:
    """Return a line on an image that could not be written; where it would lie is ours to know."""
    plain = " ".join(PATH.sub("", str(error)).split())[:300]
    return of_storage(error) or f"the image could not be written: {plain}"


def told(uid: str, error: Exception) -> dict[str, Any]:
    """Return what the depositor is told; a defect's text stays in the log."""
    if isinstance(error, WrongDigest):  # whoever delivered it was wrong about it, or lied
        log.warning("import of %s: %s", uid, error)
    if isinstance(error, CidError):
        return {"error": error.name, "message": str(error)}
    if isinstance(error, OSError) and (fault := of_storage(error)):
        log.error("import of %s: %s", uid, error)
        return {"error": "Unavailable", "message": fault}
    log.error("import of %s", uid, exc_info=error)
    return {"error": "CidError", "message": "the import broke; the service's log has the reason"}
