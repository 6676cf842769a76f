"""The bytes of an upload as they arrive: one writes at a time, hashed and given to the disk.

Call the methods from a thread; one at a time of each `Writing`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import Busy, Conflict, NotFound, TooLarge, WrongDigest
from . import digests
from .digests import Digests, Hasher
from .intake import door, put_in_place
from .roots import begin_flush
from .uploads import Upload, remove, under_way

REMEMBERED = 256  # hashes of uploads under way that one process keeps
FLUSHED_AT_ONCE = 16 << 20  # bytes given to the disk while more come: little is left at the end
HASHED_AT_ONCE = 4  # times the bytes of a part: how quickly a hash catches up after a restart
PIECE = 1 << 20
# for more at once the system takes memory in large blocks, which a virtual machine often has to be
# given first: that took longer than the writing
WRITTEN_AT_ONCE = 256 << 10
# bytes are written while they are hashed
WRITERS = ThreadPoolExecutor(4, thread_name_prefix="upload")


class Hashes:
    """Digests of uploads under way, as far as this process has read them."""

    def __init__(self) -> None:
        self._far: OrderedDict[Path, tuple[int, Hasher]] = OrderedDict()

    def of(self, upload: Upload) -> tuple[int, Hasher]:
        """Return how far the upload is hashed, and the hash: a copy, to go on with."""
        far, begun = self._far.get(upload.folder, (0, Hasher()))
        return far, begun.copy()

    def note(self, upload: Upload, far: int, begun: Hasher) -> None:
        """Keep a hash, and forget the one that was asked for longest ago."""
        self._far[upload.folder] = (far, begun)
        self._far.move_to_end(upload.folder)
        while len(self._far) > REMEMBERED:
            self._far.popitem(last=False)

    def forget(self, upload: Upload) -> None:
        """It is kept, or gone."""
        self._far.pop(upload.folder, None)


class Writing:
    """The right to write to one upload now. `leave` it, or the next one waits.

    The hash follows the bytes; where it is behind, after a restart, it catches up from disk.
    """

    def __init__(self, upload: Upload, hashes: Hashes, checksum: str = "") -> None:
        """Take the upload, or raise Busy. `checksum` names what this part is verified with."""
        self.upload, self._hashes = upload, hashes
        self._lock = _locked(upload)
        self._begun = upload.folder / "begun"
        self._file = upload.bytes.open("ab", buffering=0)
        if self._begun.exists():  # whoever verified it was killed
            self._cut(upload.offset)
        self.offset = self._start = os.fstat(self._file.fileno()).st_size
        self._far, self._hash = hashes.of(upload)
        if self._far > self.offset:
            self._far, self._hash = 0, Hasher()
        self._flushed = self.offset
        self._checksum = hashlib.new(checksum) if checksum else None
        if self._checksum is not None:
            self._begun.write_text(str(self._start))

    def write(self, *pieces: bytes | memoryview) -> None:
        """Add bytes, which are free again after it. TooLarge: more than were announced come."""
        nbytes = sum(map(len, pieces))
        if self.offset + nbytes > self.upload.said.nbytes:
            raise TooLarge(f"more than the {self.upload.said.nbytes} bytes announced came")
        follows = self._far == self.offset
        written = WRITERS.submit(self._put, pieces)
        try:
            self._digest(pieces, follows)
        finally:
            wait((written,))
        if written.exception():  # nobody knows how much is there: it is hashed from disk again
            self._far, self._hash = 0, Hasher()
            written.result()
        self._far += nbytes if follows else 0
        self.offset += nbytes
        if self.offset - self._flushed >= FLUSHED_AT_ONCE:
            self._flushed = self.offset
            begin_flush(self.upload.bytes)

    def _put(self, pieces: Iterable[bytes | memoryview]) -> None:
        for piece in pieces:
            left = memoryview(piece)
            while left:
                left = left[self._file.write(left[:WRITTEN_AT_ONCE]) or 0 :]

    def _digest(self, pieces: Iterable[bytes | memoryview], follows: bool) -> None:
        for piece in pieces:
            if self._checksum is not None:
                self._checksum.update(piece)
            if follows:
                self._hash.update(piece)

    def verify(self, checksum: bytes) -> None:
        """Let the part count, or raise WrongDigest: nothing of it counts."""
        assert self._checksum is not None
        if not secrets.compare_digest(self._checksum.digest(), checksum):
            raise WrongDigest("this part is not what its checksum says: send it again")
        self._checksum = None
        self._begun.unlink()

    def finish(self) -> Digests:
        """Make the complete file visible and durable; return its digests.

        WrongDigest: it is not what was announced, and the upload is gone.
        """
        self._catch_up(self.offset)
        made, said = self._hash.digests(), self.upload.said.sha256
        if said and not secrets.compare_digest(made.sha256, said):
            remove(self.upload)
            self._hashes.forget(self.upload)
            raise WrongDigest("the file has not the sha256 announced: begin its upload anew")
        os.fsync(self._file.fileno())
        staging = self.upload.folder.parents[1]
        with door(staging / "in"):
            (self.upload.folder / "kept").write_text(made.sha256)
            put_in_place(self.upload.bytes, self.upload.place)
            digests.note(staging, self.upload.place, made)
        self._hashes.forget(self.upload)
        return made

    def leave(self) -> None:
        """Let the next one write; a part that was not verified is taken back."""
        if self._lock.closed:
            return
        try:
            if self._checksum is not None and self.upload.folder.exists():
                self._cut(self._start)
            elif self.upload.bytes.exists():
                self._catch_up(self._far + HASHED_AT_ONCE * (self.offset - self._start))
                self._hashes.note(self.upload, self._far, self._hash)
        finally:
            self._file.close()
            self._lock.close()

    def is_wanted(self) -> bool:
        """Return whether somebody waits for this upload."""
        return (self.upload.folder / "wanted").exists()

    def _cut(self, offset: int) -> None:
        self._file.truncate(offset)
        self._begun.unlink(missing_ok=True)

    def _catch_up(self, until: int) -> None:
        with self.upload.bytes.open("rb") as file:
            file.seek(self._far)
            while self._far < min(until, self.offset):
                piece = file.read(min(PIECE, self.offset - self._far))
                self._hash.update(piece)
                self._far += len(piece)


def settle(upload: Upload, hashes: Hashes) -> None:
    """Finish what has all its bytes and no name yet: whoever wrote it was killed."""
    if upload.offset == upload.said.nbytes and upload.bytes.exists():
        writing = Writing(upload, hashes)
        try:
            writing.finish()
        finally:
            writing.leave()


def make_way(prefix: Path, place: Path) -> int:
    """Remove uploads to the same place that nobody writes to; return the bytes they had taken.

    They are left of clients that never heard where they had begun one.
    """
    freed = 0
    for upload in under_way(prefix):
        with suppress(Busy, Conflict, NotFound):
            if upload.place == place:
                lock = _locked(upload)
                remove(upload)
                lock.close()
                freed += upload.said.nbytes
    return freed


def _locked(upload: Upload) -> Any:
    """Return the upload's lock, held. NotFound: it is removed; Busy: another one writes."""
    try:
        lock = (upload.folder / "lock").open("r+b")
    except FileNotFoundError:
        raise NotFound("there is no such upload: begin anew") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (upload.folder / "wanted").unlink(missing_ok=True)
        if not upload.bytes.exists():
            raise Conflict("this upload is complete, or was removed: ask for its offset")
    except BlockingIOError:
        lock.close()
        raise Busy("somebody else writes to this upload now: try again in a moment") from None
    except BaseException:
        lock.close()
        raise
    return lock
