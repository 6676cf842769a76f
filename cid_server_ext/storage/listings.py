"""What is known of the files of an original in place: a line each, kept below its prefix.

Of an OME-Zarr these are its metadata documents; what its chunks were is `state/fixity/<uid>`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from blake3 import blake3

from ..errors import BytesChanged
from .digests import PIECE, Digests, Hasher
from .inplace import Place, Roots, changed

NAME = "listing.jsonl"


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as it was when it was hashed; `path` is below the place, "" is the place itself."""

    path: str
    nbytes: int
    mtime_ns: int
    sha256: str


def look(roots: Roots, root: str, base: str, path: str) -> tuple[Listed, str]:
    """Hash one file in place and return it with its blake3, or raise NotFound or BytesChanged."""
    handle = roots.open(root, f"{base}/{path}".strip("/"))
    with os.fdopen(handle, "rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        hasher, piece = Hasher(), memoryview(bytearray(PIECE))
        while nbytes := file.readinto(piece):
            hasher.update(piece[:nbytes])
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise changed("somebody writes to it at this moment")
    made = hasher.digests()
    return Listed(path, after.st_size, after.st_mtime_ns, made.sha256), made.blake3


def digests(listed: Iterable[tuple[Listed, str]]) -> Digests:
    """Return the digests of several files: those of their sorted lines "path digest"."""
    several = list(listed)
    lines = "".join(sorted(f"{one.path} {one.sha256}\n" for one, _ in several))
    others = "".join(sorted(f"{one.path} {other}\n" for one, other in several))
    sha256 = hashlib.sha256(lines.encode()).hexdigest()
    return Digests(sha256, blake3(others.encode()).hexdigest())


def digest(listed: Iterable[Listed]) -> str:
    """Return the sha256 of several files, as `digests` does."""
    return digests((one, "") for one in listed).sha256


def write(folder: Path, listed: Iterable[Listed]) -> None:
    """Write a listing into a folder."""
    text = "".join(json.dumps(asdict(one)) + "\n" for one in listed)
    (folder / NAME).write_text(text, encoding="utf-8")


def read(folder: Path) -> Iterator[Listed]:
    """Yield what a listing says; nothing where there is none, as for a single file."""
    file = folder / NAME
    if file.is_file():
        for line in file.read_text(encoding="utf-8").splitlines():
            yield Listed(**json.loads(line))


def promised(folder: Path, sha256: str) -> list[Listed]:
    """Return what a listing says, if it is the one that was registered; else BytesChanged."""
    found = list(read(folder))
    if digest(found) != sha256:
        raise BytesChanged("what was known of its files is damaged, or gone from the storage")
    return found


def base(roots: Roots, place: Place) -> str:
    """Return what the paths of a listing lie below: the folder, or that of the file."""
    folder = place.form == "tree" or (
        place.form == "set" and roots.path(place.root, place.path).is_dir()
    )
    return place.path if folder else place.path.rpartition("/")[0]
