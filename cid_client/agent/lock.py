"""One agent on one state folder: a lock on a file of it, which ends with its process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import Conflict


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a state folder, or raise Conflict: another agent has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "agent.lock").open("a+b") as file:
        try:
            _lock(file)
        except OSError:
            raise Conflict(f"another agent works with {folder}: stop it first") from None
        yield


def is_held(folder: Path) -> bool:
    """Return whether an agent works with a state folder at this moment."""
    if not (folder / "agent.lock").exists():
        return False
    try:
        with held(folder):
            return False
    except Conflict:
        return True


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
