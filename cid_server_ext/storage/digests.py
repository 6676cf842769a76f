"""The two digests of what is stored, made in one reading: sha256 and blake3.

A file that comes in is digested while it is written. What was made then is noted beside the staged
files, where no ticket for writing leads, so that the import need not read it again.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from blake3 import blake3

from .roots import files_below

PIECE = 1 << 20
NOTED = "digests.jsonl"


@dataclass(frozen=True, slots=True)
class Digests:
    """Hexadecimal digests of one file, or of a folder's sorted lines "path digest"."""

    sha256: str
    blake3: str


class Hasher:
    """Both digests of bytes that come piece by piece."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self._blake3 = blake3()

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes."""
        self.sha256.update(data)
        self._blake3.update(data)

    def copy(self) -> Hasher:
        """Return another one that has read the same."""
        other = Hasher.__new__(Hasher)
        other.sha256, other._blake3 = self.sha256.copy(), self._blake3.copy()
        return other

    def digests(self) -> Digests:
        """Return the digests of all that was added."""
        return Digests(self.sha256.hexdigest(), self._blake3.hexdigest())


def of_file(path: Path) -> Digests:
    """Return the digests of a file, read once."""
    hasher = Hasher()
    with path.open("rb", buffering=0) as file:
        piece = memoryview(bytearray(PIECE))
        while nbytes := file.readinto(piece):
            hasher.update(piece[:nbytes])
    return hasher.digests()


def of_folder(found: dict[str, Digests]) -> tuple[Digests, str]:
    """Return the digests of a folder from those of its files, and its manifest."""
    lines = "".join(sorted(f"{name} {one.sha256}\n" for name, one in found.items()))
    others = "".join(sorted(f"{name} {one.blake3}\n" for name, one in found.items()))
    sha256 = hashlib.sha256(lines.encode()).hexdigest()
    return Digests(sha256, blake3(others.encode()).hexdigest()), lines


def below(folder: Path) -> dict[str, Digests]:
    """Return the digests of every file below a folder, by its relative name."""
    return {name: of_file(path) for name, path in files_below(folder)}


def note(prefix: Path, path: Path, made: Digests) -> None:
    """Remember what was made of a staged file while it was written below `prefix`/in."""
    if not path.is_relative_to(prefix / "in"):
        return
    state = path.stat()
    line = {"path": path.relative_to(prefix / "in").as_posix(), **_seen(state), **asdict(made)}
    with (prefix / NOTED).open("ab", buffering=0) as file:
        file.write(json.dumps(line).encode() + b"\n")


def noted(prefix: Path) -> dict[str, Digests]:
    """Return what is known of the staged files that are still the ones that were written."""
    try:
        lines = (prefix / NOTED).read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        try:
            told = json.loads(line)
            state = os.stat(prefix / "in" / told["path"], follow_symlinks=False)
            if _seen(state) == {key: told[key] for key in _seen(state)}:
                found[told["path"]] = Digests(told["sha256"], told["blake3"])
        except (ValueError, KeyError, TypeError, OSError):
            continue  # torn by a kill, or of a file that was sent again: it is read instead
    return found


def _seen(state: os.stat_result) -> dict[str, int]:
    return {"nbytes": state.st_size, "ino": state.st_ino, "mtime_ns": state.st_mtime_ns}
