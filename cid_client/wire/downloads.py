"""Brings a stored file here whole: streamed, checked against its sha256, or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath

from ..errors import BadInput, Conflict
from .tickets import Ticket


def download(ticket: Ticket, name: str, sha256: str, folder: str | os.PathLike[str]) -> Path:
    """Write the ticket's bytes to `folder`/`name` and return that path.

    Raises Conflict when it exists already and BadInput when the bytes that arrived are not the
    ones the catalog recorded; nothing is left behind then.
    """
    target = Path(folder) / _harmless(name)
    if target.exists():
        raise Conflict(f"{target} exists already: choose another folder, or move it away")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        digest = hashlib.sha256()
        with part.open("wb") as file, ticket.streamed() as pieces:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
        if digest.hexdigest() != sha256:
            raise BadInput(f"{name} arrived damaged: its sha256 is not the catalog's; try again")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _harmless(name: str) -> str:
    """Return the last part of a name that may try to leave the folder."""
    last = PurePosixPath(name.replace("\\", "/")).name
    if last in ("", ".", "..") or "\0" in last:
        raise BadInput(f"file name {name!r} cannot be written here")
    return last
