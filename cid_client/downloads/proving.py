"""Proves an archive by the digests in its last file, and takes it apart."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ..display import size
from ..errors import BadInput, Conflict
from .fetching import Progress

MANIFEST = "manifest-sha256.txt"
PIECE = 1 << 20
DAMAGED = "the archive arrived damaged: try again"
OUTSIDE = re.compile(r"(^|/)\.{0,2}(/|$)|[\\:\0]")  # no name that our catalog gives


def prove(archive: Path, tell: Progress) -> list[str]:
    """Return the names of its files, whose bytes are all as the catalog says; else BadInput."""
    names = []
    for name, pieces in _files(archive, tell):
        for _ in pieces:
            pass
        names.append(name)
    return names


def unpack(archive: Path, folder: Path, tell: Progress) -> list[Path]:
    """Write its files below `folder` and return their paths.

    One that is there already with the same bytes stays. Conflict: with other bytes; nothing of
    them is touched. BadInput: bytes that are not what the catalog says.
    """
    paths = []
    for name, pieces in _files(archive, tell):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        try:
            digest = hashlib.sha256()
            with part.open("wb") as file:
                for piece in pieces:
                    digest.update(piece)
                    file.write(piece)
            if target.exists() and _digest(target) != digest.hexdigest():
                raise Conflict(f"{target} exists already: choose another folder, or move it away")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        paths.append(target)
    return paths


def _files(archive: Path, tell: Progress) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Give each file's name and pieces, which end with BadInput if they are not what they were."""
    try:
        with zipfile.ZipFile(archive) as opened:
            said = _said(opened)
            names = [name for name in opened.namelist() if name != MANIFEST]
            if sorted(names) != sorted(said) or any(OUTSIDE.search(name) for name in names):
                raise BadInput("the archive holds other files than its manifest says: try again")
            total, done = sum(info.file_size for info in opened.infolist()), 0
            for name in names:
                tell(done / max(total, 1), f"verifying {size(done)} of {size(total)}")
                yield name, _pieces(opened, name, said[name])
                done += opened.getinfo(name).file_size
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError):
        raise BadInput(DAMAGED) from None


def _pieces(opened: zipfile.ZipFile, name: str, expected: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    try:
        with opened.open(name) as file:
            while piece := file.read(PIECE):
                digest.update(piece)
                yield piece
    except zipfile.BadZipFile:
        raise BadInput(DAMAGED) from None
    if digest.hexdigest() != expected:
        raise BadInput(
            f"{name} arrived damaged: its sha256 is not the catalog's; try again, then tell staff"
        )


def _said(opened: zipfile.ZipFile) -> dict[str, str]:
    lines = opened.read(MANIFEST).decode().splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
