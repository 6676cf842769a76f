"""Folders that end with their owner: locked while it lives, swept by whoever comes after it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

LOCK = ".lock"  # held as long as its process lives, however that ends


@contextlib.contextmanager
def owned(prefix: str, where: Path) -> Iterator[Path]:
    """Give a new folder of this process alone, and remove it whatever happened."""
    path, lock = take(prefix, where)
    try:
        yield path
    finally:
        drop(path, lock)


def take(prefix: str, where: Path) -> tuple[Path, int]:
    """Make a folder and lock it; return it with the lock, which `drop` wants."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=where)).resolve()
    lock = os.open(path / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return path, lock


def drop(path: Path, lock: int) -> None:
    """Remove the folder, then let go of it."""
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def sweep(folders: Iterable[Path]) -> list[Path]:
    """Remove those whose owner is gone and that hold no folder of a living one; return them.

    One without a lock is left: it is being made at this moment, or is not ours.
    """
    swept = []
    for folder in folders:
        if is_left(folder) and all(is_left(lock.parent) for lock in folder.glob(f"*/**/{LOCK}")):
            shutil.rmtree(folder, ignore_errors=True)
            swept.append(folder)
    return swept


def is_left(folder: Path) -> bool:
    """Tell whether the process that locked this folder has ended."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:  # nobody locked it, or it is another account's
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
