"""One file on its way in: hashed while it is written, and kept only when it is what was said."""

from __future__ import annotations

import fcntl
import hmac
import io
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BadInput, Conflict
from .digests import Hasher, note
from .roots import files_below

UNFINISHED = ".part-"  # how names of files begin that are not complete
DOOR = "door"  # beside a prefix; it says so when no bytes are taken any more
PAUSE = 3600.0  # seconds without a byte after which nobody is sending any more


class Intake:
    """An upload of `nbytes` bytes to `path`. Written beside its prefix, then renamed in one step.

    It takes its full size on disk at once, so that whoever counts the prefix counts it too.
    Call its methods from any thread; after `discard` they do nothing.
    """

    def __init__(self, prefix: Path, path: Path, nbytes: int) -> None:
        if path.name.startswith(UNFINISHED):
            raise BadInput(f"names that begin with {UNFINISHED!r} are ours: rename the file")
        prefix.mkdir(parents=True, exist_ok=True)
        self.path, self.nbytes, self.got = path, nbytes, 0
        self._prefix, self._hash = prefix, Hasher()
        self._lock = threading.Lock()
        self._file, self.temporary = _begin(prefix)
        os.truncate(self._file.fileno(), nbytes)

    def write(self, data: bytes) -> None:
        """Add bytes; more than were said are refused."""
        with self._lock:
            if self._file.closed:
                return
            self.got += len(data)
            if self.got > self.nbytes:
                raise BadInput(f"more than the {self.nbytes} bytes that were announced came")
            self._hash.update(data)
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) or 0 :]

    def keep(self, digest: bytes) -> str:
        """Make the file visible and durable; return its sha256. BadInput: it is not what was said.

        A file of the same name, from an earlier try, is replaced. Conflict: a folder has its name.
        """
        with self._lock:
            if self.got != self.nbytes:
                raise BadInput(f"{self.got} of the {self.nbytes} announced bytes came: send again")
            made = self._hash.digests()
            if not hmac.compare_digest(bytes.fromhex(made.sha256), digest):
                raise BadInput(
                    "the bytes do not have the digest that was sent with them: send again"
                )
            os.fsync(self._file.fileno())
            self._file.close()
            with door(self._prefix):
                put_in_place(self.temporary, self.path)
                note(self._prefix.parent, self.path, made)
            return made.sha256

    def discard(self) -> None:
        """Remove what came, unless it was kept. May be called any number of times."""
        with self._lock:
            self._file.close()
            self.temporary.unlink(missing_ok=True)


def shut(prefix: Path) -> None:
    """Take no more bytes below a prefix: what lies there now is what is imported."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    with (prefix.parent / DOOR).open("ab", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # whoever gives a file its name now is through first
        file.write(b"shut")


def refuse_shut(prefix: Path) -> None:
    """Raise Conflict when no bytes are taken any more."""
    place = prefix.parent / DOOR
    if place.exists() and place.stat().st_size:
        raise Conflict("this deposit is being imported: it takes no more bytes, open another one")


@contextmanager
def door(prefix: Path) -> Iterator[None]:
    """Give a file its name while this is held. Conflict: no bytes are taken any more."""
    with (prefix.parent / DOOR).open("ab", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        refuse_shut(prefix)
        yield


def put_in_place(temporary: Path, path: Path) -> None:
    """Give a complete file its name, durably and at once. Conflict: a folder has its name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(temporary, path)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise Conflict("a file and a folder would have the same name: rename one") from None
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(prefix: Path) -> None:
    """Remove what uploads left whose process was killed: their files are no longer locked."""
    for path in prefix.glob(f"{UNFINISHED}*"):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue  # on its way in, or gone this moment


def is_coming(prefix: Path) -> bool:
    """Return whether bytes came below a prefix within the last hour."""
    since = time.time() - PAUSE
    if not prefix.is_dir():
        return False
    try:
        return any(path.stat().st_mtime > since for _, path in files_below(prefix))
    except FileNotFoundError:
        return True  # it came whole at this moment


def _begin(prefix: Path) -> tuple[io.FileIO, Path]:
    """Make and lock a file; begin again when a sweep took it for a dead one in between."""
    while True:
        path = prefix / f"{UNFINISHED}{secrets.token_hex(8)}"
        file = path.open("xb", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file, path
        file.close()
