"""Which reader opens which file: a table, asked in order. The bytes decide, not the suffix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import BadFile, CidError
from . import ngff, pictures, tiff
from .source import Source, unreadable


@dataclass(frozen=True, slots=True)
class Policy:
    """One row: files that begin like this are opened so."""

    name: str
    magic: tuple[bytes, ...]
    open: Callable[[Path], list[Source]]


POLICIES = (
    Policy("TIFF", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), tiff.open_tiff),
    Policy("PNG", (b"\x89PNG\r\n\x1a\n",), pictures.open_picture),
    Policy("JPEG", (b"\xff\xd8\xff",), pictures.open_picture),
)


def open_images(path: Path) -> list[Source]:
    """Return the images of a file or OME-Zarr folder, lazily.

    BadFile, one line with the cause and the way out: not an image, damaged, or more than a file
    can honestly hold. Call it only in a process whose memory and time are limited.
    """
    opener = _opener(path)
    try:
        return opener(path)
    except CidError:
        raise
    except Exception as error:  # whatever a reader says of a file, it is the file's fault
        raise unreadable(error) from error


def _opener(path: Path) -> Callable[[Path], list[Source]]:
    if path.is_symlink():
        raise BadFile("it is a link, not a file: copy the file itself")
    if path.is_dir():
        if not ngff.is_zarr(path):
            raise BadFile("the folder is no OME-Zarr: import its files one by one")
        return ngff.open_ngff
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise BadFile("the file is empty: copy it again")
    for policy in POLICIES:
        if head.startswith(policy.magic):
            return policy.open
    raise BadFile(
        "its first bytes are those of no image that CID reads (TIFF, OME-TIFF, PNG, JPEG,"
        " OME-Zarr): convert it, or deposit it as a file"
    )
