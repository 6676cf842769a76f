"""What lies on disk and can be brought in: files, OME-Zarr folders, and whole trees of both."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import BadInput

# of images that are one file; what a folder holds beside them comes in with the whole folder
SUFFIXES = (
    *(".tif", ".tiff", ".png", ".jpg", ".jpeg", ".lif", ".czi", ".lsm", ".nd2", ".oib"),
    *(".svs", ".ndpi", ".sdt", ".dv", ".r3d", ".ims", ".mrc", ".st", ".rec", ".ali"),
)
NOBODYS = ("Thumbs.db", "desktop.ini")  # what a system leaves in folders, as hidden files are
PIECE = 1 << 20  # bytes read at a time


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a deposit: where it lies here, what it is called there, and how long it is.

    sha256: hexadecimal, once it was read for it.
    """

    file: Path
    path: str
    nbytes: int
    sha256: str = ""

    @property
    def declared(self) -> dict[str, Any]:
        """What is said of it when a deposit is opened."""
        said = {"path": self.path, "nbytes": self.nbytes}
        return said | ({"sha256": self.sha256} if self.sha256 else {})


def find_items(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the image files and OME-Zarr folders at or below `path`, in order of their names.

    Hidden files and folders are passed by; an OME-Zarr folder is one item.
    """
    here = Path(path)
    if _is_zarr(here) or here.is_file():
        yield here
        return
    for child in sorted(here.iterdir()):
        if child.name.startswith("."):
            continue
        if _is_zarr(child) or (child.is_file() and child.name.lower().endswith(SUFFIXES)):
            yield child
        elif child.is_dir() and not child.is_symlink():
            yield from find_items(child)


def parts_of(path: Path) -> list[Part]:
    """Return the files of a file, an OME-Zarr or a folder with all below it, or raise BadInput.

    Of a folder each path begins with its name; hidden files, and links to folders, are passed by.
    """
    if path.is_file():
        return [Part(path, path.name, path.stat().st_size)]
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    inside = path.resolve().name
    found = sorted(_below(path, whole=_is_zarr(path)))
    if not found:
        raise BadInput(f"{path} is an empty folder")
    return [
        Part(file, f"{inside}/{file.relative_to(path).as_posix()}", file.stat().st_size)
        for file in found
    ]


def hashed(part: Part) -> Part:
    """Return the part with its sha256; BadInput if it is not as long as it was."""
    sha256, nbytes = hashlib.sha256(), 0
    for piece in pieces(part.file):
        sha256.update(piece)
        nbytes += len(piece)
    if nbytes != part.nbytes:
        raise _changed(part)
    return replace(part, sha256=sha256.hexdigest())


def digest(part: Part) -> str:
    """Return the RFC 9530 digest of a part; BadInput if it is not as long as it was."""
    if part.file.stat().st_size != part.nbytes:
        raise _changed(part)
    sha256 = bytes.fromhex((part if part.sha256 else hashed(part)).sha256)
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"


def _changed(part: Part) -> BadInput:
    return BadInput(f"{part.file} changed while it was uploaded: wait until it is finished")


def pieces(file: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, some at a time."""
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            yield piece


def _below(folder: Path, *, whole: bool) -> Iterator[Path]:
    """Yield the files below a folder; `whole`: also those whose names are hidden."""
    for child in folder.iterdir():
        if not whole and (child.name.startswith(".") or child.name in NOBODYS):
            continue
        if child.is_file():
            yield child
        elif child.is_dir() and not child.is_symlink():
            yield from _below(child, whole=whole or _is_zarr(child))


def _is_zarr(path: Path) -> bool:
    return path.name.endswith(".zarr") and path.is_dir()
