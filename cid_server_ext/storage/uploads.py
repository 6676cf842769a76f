"""Uploads that are broken off and gone on with. All that is known of one lies beside its bytes.

    staging/<deposit>/uploads/<id>/
        said    what was announced when it was opened
        bytes   what came so far: its size is the offset, so a kill at any moment tells no lie
        begun   where a part began whose checksum is not verified yet; what follows does not count
        kept    the sha256, written just before `bytes` gets its name below `in/`
        lock    held by whoever writes
        wanted  somebody waits for the lock

Nothing of it lies below `in/`, where an import looks, until it is complete. No database is asked,
and several processes may serve one upload. Who writes: `arriving.py`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import BadInput, Conflict, Gone, NotFound
from .intake import UNFINISHED

UID = re.compile(r"[0-9a-f]{32}")
LIFETIME = 24 * 3600.0  # seconds after its last byte in which an upload can be gone on with


@dataclass(frozen=True, slots=True)
class Said:
    """What was announced: where it goes below the prefix, its bytes, its sha256 if it was known."""

    path: str
    nbytes: int
    sha256: str = ""
    metadata: str = ""  # as the client said it


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload and where it is going to: `place` below the prefix that a ticket opens."""

    folder: Path
    place: Path
    said: Said

    @property
    def uid(self) -> str:
        """What its address ends with."""
        return self.folder.name

    @property
    def bytes(self) -> Path:
        """What came so far."""
        return self.folder / "bytes"

    @property
    def offset(self) -> int:
        """How many bytes are there, and count."""
        with suppress(FileNotFoundError, ValueError):
            return int((self.folder / "begun").read_text())
        try:
            return self.bytes.stat().st_size
        except FileNotFoundError:
            return self.said.nbytes if self.folder.is_dir() else 0

    @property
    def sha256(self) -> str:
        """The digest of the whole, once it is kept; until then nothing."""
        if self.bytes.exists():
            return ""
        with suppress(FileNotFoundError):
            return (self.folder / "kept").read_text()
        return ""

    @property
    def touched(self) -> float:
        """When its last byte came, in seconds since 1970."""
        for name in ("bytes", "kept"):
            with suppress(FileNotFoundError):
                return (self.folder / name).stat().st_mtime
        raise NotFound("there is no such upload: begin anew")

    @property
    def expires(self) -> float:
        """Until when it can be gone on with, in seconds since 1970."""
        return self.touched + LIFETIME


def begin(prefix: Path, place: Path, said: Said) -> Upload:
    """Open an upload to `place` below `prefix`. Conflict: a file and a folder of one name."""
    if place.name.startswith(UNFINISHED):
        raise BadInput(f"names that begin with {UNFINISHED!r} are ours: rename the file")
    if place.is_dir() or any(p.is_file() for p in place.parents if p.is_relative_to(prefix)):
        raise Conflict("a file and a folder would have the same name: rename one")
    folder = _beside(prefix) / secrets.token_hex(16)
    made = folder.with_suffix(".new")
    made.mkdir(parents=True)
    (made / "bytes").touch()
    (made / "lock").touch()
    (made / "said").write_text(json.dumps(asdict(said)))
    made.rename(folder)  # whoever lists the uploads sees it whole
    return Upload(folder, place, said)


def find(prefix: Path, uid: str) -> Upload:
    """Return an upload. NotFound: there is none; Gone: its time has passed."""
    if not UID.fullmatch(uid):
        raise NotFound("there is no such upload: begin anew")
    upload = _read(prefix, _beside(prefix) / uid)
    if not upload.sha256 and upload.expires < time.time():
        raise Gone("the time of this upload has passed: begin anew")
    return upload


def remove(upload: Upload) -> None:
    """Remove an upload, and its file when it was kept."""
    kept = upload.sha256
    shutil.rmtree(upload.folder, ignore_errors=True)
    if kept:
        upload.place.unlink(missing_ok=True)


def want(upload: Upload) -> None:
    """Say that somebody waits, so that a writer who hears nothing any more leaves."""
    with suppress(FileNotFoundError):
        (upload.folder / "wanted").touch()


def announced(prefix: Path) -> list[int]:
    """Return the bytes that each upload under way will have when it is complete."""
    return [upload.said.nbytes for upload in under_way(prefix)]


def opened(prefix: Path) -> int:
    """Return how many uploads to this prefix were opened and not removed, complete or not."""
    try:
        return len(os.listdir(_beside(prefix)))
    except FileNotFoundError:
        return 0


def is_open(prefix: Path) -> bool:
    """Return whether an upload to this prefix can still be gone on with."""
    return any(upload.expires > time.time() for upload in under_way(prefix))


def missing(prefix: Path, declared: Iterable[tuple[str, int]]) -> list[str]:
    """Return which of these paths have no file of so many bytes below the prefix yet."""
    return [path for path, nbytes in declared if not _is_whole(prefix / path, nbytes)]


def under_way(prefix: Path) -> Iterator[Upload]:
    """Yield the uploads to this prefix that are not complete."""
    beside = _beside(prefix)
    if not beside.is_dir():
        return
    for folder in beside.iterdir():
        with suppress(NotFound):
            upload = UID.fullmatch(folder.name) and _read(prefix, folder)
            if upload and not upload.sha256:
                yield upload


def _is_whole(place: Path, nbytes: int) -> bool:
    try:
        state = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(state.st_mode) and state.st_size == nbytes


def _beside(prefix: Path) -> Path:
    return prefix.with_name("uploads")


def _read(prefix: Path, folder: Path) -> Upload:
    try:
        said = Said(**json.loads((folder / "said").read_text()))
    except FileNotFoundError:
        raise NotFound("there is no such upload: begin anew") from None
    return Upload(folder, prefix / said.path, said)
