"""Pages of executed notebooks: each is made once by a child, a few are kept."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import OrderedDict
from pathlib import Path

from ..errors import BadFile, Unavailable
from ..ingest.children import CLEAN

LARGEST = 32 << 20  # bytes of a notebook that is shown
SECONDS = 60.0
KEPT = 48 << 20  # characters of pages
AT_ONCE, WAITING = 2, 8

_made: OrderedDict[str, str] = OrderedDict()
_lock = threading.Lock()
_turns = threading.BoundedSemaphore(AT_ONCE)
_waiting = threading.BoundedSemaphore(AT_ONCE + WAITING)


def page(path: Path, sha256: str) -> str:
    """Return the body of the page of a notebook, whose bytes never change.

    Raises BadFile for one that cannot be shown, Unavailable when very many are being made.
    """
    with _lock:
        if sha256 in _made:
            _made.move_to_end(sha256)
            return _made[sha256]
    if path.stat().st_size > LARGEST:
        raise BadFile(f"this notebook has more than {LARGEST >> 20} MiB: download it to read it")
    if not _waiting.acquire(blocking=False):
        raise Unavailable("many notebooks are being shown just now: try again in a minute")
    try:
        with _turns:
            made = _child(path)
    finally:
        _waiting.release()
    with _lock:
        _made[sha256] = made
        while sum(map(len, _made.values())) > KEPT:
            _made.popitem(last=False)
    return made


def _child(path: Path) -> str:
    command = [sys.executable, "-P", "-m", f"{__package__}.child"]
    with path.open("rb") as source:
        try:
            done = subprocess.run(
                command,
                stdin=source,
                capture_output=True,
                timeout=SECONDS,
                env=CLEAN,
                cwd="/",
                check=False,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            raise BadFile("this notebook cannot be shown: it takes too long; download it") from None
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it was stopped"]
        why = lines[-1] if done.returncode == 3 else "it takes too much memory or time"
        raise BadFile(f"this notebook cannot be shown: {why[:200]}; download it")
    return done.stdout.decode()
