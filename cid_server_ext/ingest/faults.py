"""What a depositor is told when an import fails: the cause in a line, and the way out."""

from __future__ import annotations

import errno
import logging
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


def told(uid: str, error: Exception) -> dict[str, Any]:
    """Return what the depositor is told; a defect's text stays in the log."""
    if isinstance(error, WrongDigest):  # whoever delivered it was wrong about it, or lied
        log.warning("import of %s: %s", uid, error)
    if isinstance(error, CidError):
        return {"error": error.name, "message": str(error)}
    if isinstance(error, OSError) and error.errno in STORAGE:
        log.error("import of %s: %s", uid, error)
        return {"error": "Unavailable", "message": STORAGE[error.errno]}
    log.error("import of %s", uid, exc_info=error)
    return {"error": "CidError", "message": "the import broke; the service's log has the reason"}
