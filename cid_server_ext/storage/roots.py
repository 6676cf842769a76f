"""Where bytes lie: a root answers for every key below it, and publishes whole things at once."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from ..errors import BadInput, Conflict, NotFound
from .names import parts

UID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")
PIECE = 1 << 20
WRITING = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
SYNC_FILE_RANGE_WRITE = 2
FLUSHES = 4  # at once: one waits for the disk while another does
MANY = 20  # things that are flushed to disk together rather than file by file


class Root(Protocol):
    """What the catalog needs of a place that keeps bytes. A key is "images/ab/<uid>/..."."""

    def path(self, key: str) -> Path:
        """Return where `key` lies, or raise BadInput for a key that would lead out."""

    def publish(self, source_key: str, target_key: str) -> None:
        """Move a file or folder to its final key, durably and at once; Conflict if it exists."""

    def publish_all(self, moves: Sequence[tuple[str, str]]) -> None:
        """Publish every (source key, target key), as durably, with less waiting for the disk."""

    def remove(self, key: str) -> None:
        """Remove a file or folder; a key that is not there is no error."""

    def nbytes(self, key: str) -> int:
        """Return the bytes of a file, or of all files below a folder."""

    def digest(self, key: str) -> str:
        """Return the sha256 of a file, or that of a folder's sorted list of file digests."""

    def free(self) -> int:
        """Return the bytes that can still be written."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A root in one folder of a POSIX file system."""

    root: Path

    def path(self, key: str) -> Path:
        """Return where `key` lies. BadInput: the key is not plain, or a symlink leads it out."""
        base, way = os.path.realpath(self.root), os.path.join(*parts(key))
        found = os.path.realpath(os.path.join(base, way))
        if not found.startswith(base + os.sep):
            raise BadInput(f"the path {key[:80]!r} leads out of the storage")
        return Path(base, way)

    def publish(self, source_key: str, target_key: str) -> None:
        """Move a file or folder, flushed and read-only. Conflict: the target exists."""
        self._publish(source_key, target_key, _flush)

    def publish_all(self, moves: Sequence[tuple[str, str]]) -> None:
        """Publish each; all bytes are on disk before the first is moved, all names at the end."""
        if len(moves) <= MANY:
            for source_key, target_key in moves:
                self.publish(source_key, target_key)
            return
        flush_disk(self.root)
        for source_key, target_key in moves:
            self._publish(source_key, target_key, _seal)
        flush_disk(self.root)

    def _publish(self, source_key: str, target_key: str, flush: Flush) -> None:
        source, target = self.path(source_key), self.path(target_key)
        if not source.exists():
            raise NotFound(f"nothing lies at {source_key!r}")
        if os.path.lexists(target):
            if source.is_file() and source.samefile(target):
                source.unlink()  # a kill came between the two steps below: the second is left
                return
            raise Conflict(f"{target_key!r} exists already: published bytes are never replaced")
        _seal_tree(source, flush)
        _make_folders(target.parent, Path(os.path.realpath(self.root)), flush)
        try:
            if source.is_dir():
                os.rename(source, target)
            else:  # a link, unlike a rename, never replaces what another process put there
                os.link(source, target)
                source.unlink()
        except OSError as error:
            if os.path.lexists(target):
                raise Conflict(f"{target_key!r} exists already") from error
            raise
        flush(target.parent)
        flush(source.parent)

    def remove(self, key: str) -> None:
        """Remove a file or folder and what is below it; symlinks are removed, not followed."""
        path = self.path(key)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def nbytes(self, key: str) -> int:
        """Return the bytes of the file, or of all regular files below the folder, at `key`."""
        return sum(path.lstat().st_size for _, path in files_below(self._present(key)))

    def digest(self, key: str) -> str:
        """Return the sha256 of a file; for a folder that of its sorted "path sha256\\n" lines."""
        path = self._present(key)
        if path.is_file():
            return sha256(path)
        lines = sorted(f"{name} {sha256(file)}\n" for name, file in files_below(path))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def free(self) -> int:
        """Return the bytes that this process may still write on the disk of the root."""
        state = os.statvfs(self.root)
        return state.f_bavail * state.f_frsize

    def _present(self, key: str) -> Path:
        path = self.path(key)
        if not path.exists():
            raise NotFound(f"nothing lies at {key!r}")
        return path


def image_prefix(uid: str) -> str:
    """Return the key of an image's folder."""
    return f"images/{_shelf(uid)}"


def file_prefix(uid: str) -> str:
    """Return the key of the folder that holds one deposited file."""
    return f"files/{_shelf(uid)}"


def prefix_of(record_type: str, uid: str) -> str:
    """Return the key of a record's folder by its type, image or file."""
    return image_prefix(uid) if record_type == "image" else file_prefix(uid)


def staging_prefix(uid: str) -> str:
    """Return the key of a deposit's folder; `in` and `out` lie below it."""
    _shelf(uid)
    return f"staging/{uid}"


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield (relative name with "/", path) of every regular file; links are not followed."""
    if not path.is_dir():
        yield path.name, path
        return
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder, name)
            if file.is_file() and not file.is_symlink():
                yield file.relative_to(path).as_posix(), file


def _shelf(uid: str) -> str:
    if not UID.fullmatch(uid):
        raise BadInput(f"{uid[:60]!r} is no uid")
    return f"{uid[:2]}/{uid}"


def flush_disk(folder: Path) -> None:
    """Force all that was written to the file system of `folder` to disk."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        return os.sync()
    handle = os.open(folder, os.O_RDONLY)
    try:
        if libc.syncfs(handle) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(handle)


def begin_flush(path: Path) -> None:
    """Have the disk begin to write a file, so that little is left when it is published.

    Nothing waits and nothing is promised; a system that cannot does it at the end.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "sync_file_range"):
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        libc.sync_file_range(handle, ctypes.c_int64(0), ctypes.c_int64(0), SYNC_FILE_RANGE_WRITE)
    finally:
        os.close(handle)


def _make_folders(folder: Path, base: Path, flush: Flush) -> None:
    """Make `folder` and flush each new entry of its way, so that a power cut keeps all of it."""
    missing = [way for way in (folder, *folder.parents) if not way.exists() and way != base]
    folder.mkdir(parents=True, exist_ok=True)
    for way in missing:
        flush(way.parent)


def _seal_tree(path: Path, flush: Flush) -> None:
    """Take the right to write off every file, and force all of it to disk, several at a time."""
    if not path.is_dir():
        return flush(path, seal=True)
    found = [(Path(folder), names) for folder, _, names in os.walk(path)]
    files = [folder / name for folder, names in found for name in names]
    with ThreadPoolExecutor(FLUSHES if len(files) > MANY else 1) as pool:
        deque(pool.map(partial(flush, seal=True), files), 0)
        deque(pool.map(flush, (folder for folder, _ in found)), 0)


class Flush(Protocol):
    """What makes one file or folder safe."""

    def __call__(self, path: Path, *, seal: bool = False) -> None:
        """Do it, taking the right to write first if `seal`."""


def _flush(path: Path, *, seal: bool = False) -> None:
    """Force one file or folder to disk; a link inside a published folder is refused."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        if seal:
            os.fchmod(handle, stat.S_IMODE(os.fstat(handle).st_mode) & ~WRITING)
        os.fsync(handle)
    finally:
        os.close(handle)


def _seal(path: Path, *, seal: bool = False) -> None:
    """Take the right to write off a file; the whole disk is flushed before and after."""
    if seal:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fchmod(handle, stat.S_IMODE(os.fstat(handle).st_mode) & ~WRITING)
        finally:
            os.close(handle)
