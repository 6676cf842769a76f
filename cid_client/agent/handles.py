"""Whether somebody still has a file open to write. Asked without writing, locking or waiting."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from .places import at

SHARING_VIOLATION = 32
WRITES = os.O_WRONLY | os.O_RDWR


def written(files: Iterable[Path]) -> set[Path]:
    """Return those of the files that a program holds open to write, as far as one can know.

    On Windows any program is known; on Linux those whose /proc entries this account may read.
    """
    if sys.platform == "win32":
        return {file for file in files if _refused(file)}
    held = set(_held())
    return {file for file in files if _identity(file) in held}


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _held() -> Iterator[tuple[int, int]]:
    """Yield device and inode of each file that a process has open to write."""
    with suppress(OSError), os.scandir("/proc") as processes:
        for process in processes:
            if process.name.isdigit() and process.name != str(os.getpid()):
                yield from _held_by(process.path)


def _held_by(process: str) -> Iterator[tuple[int, int]]:
    try:
        handles = os.listdir(f"{process}/fd")
    except OSError:  # another account's, or it has ended
        return
    for handle in handles:
        with suppress(OSError, ValueError, IndexError):
            told = Path(f"{process}/fdinfo/{handle}").read_text(encoding="ascii")
            flags = int(told.partition("flags:")[2].split()[0], 8)
            if flags & WRITES:
                state = os.stat(f"{process}/fd/{handle}")
                yield state.st_dev, state.st_ino


def _refused(file: Path) -> bool:
    """Windows: return whether opening it to read, with no writer beside, is refused."""
    if sys.platform != "win32":
        return False
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateFileW.restype = wintypes.HANDLE
    kernel.CreateFileW.argtypes = [
        *(wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, wintypes.LPVOID),
        *(wintypes.DWORD, wintypes.DWORD, wintypes.HANDLE),
    ]
    kernel.CloseHandle.argtypes = [wintypes.HANDLE]
    read, beside_readers_and_removal, existing = 0x80000000, 0x1 | 0x4, 3
    handle = kernel.CreateFileW(at(file), read, beside_readers_and_removal, None, existing, 0, None)
    if handle == wintypes.HANDLE(-1).value:
        return bool(ctypes.get_last_error() == SHARING_VIOLATION)
    kernel.CloseHandle(handle)
    return False
