"""Deposits: how bytes go into the catalog, whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import waiting
from .errors import BadInput, CidError, Conflict, NotLoggedIn, from_record
from .wire import Session, below, segment

Progress = Callable[[float, str], None]

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
ENDED = ("done", "failed", "aborted")
PIECE = 1 << 20  # bytes read and sent at a time
TICKET_IS_OLD = 30.0  # seconds; write tickets live at least twice as long


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a deposit: where it lies here, what it is called there, and how long it is."""

    file: Path
    path: str
    nbytes: int


def find_items(path: Path) -> Iterator[Path]:
    """Yield the image files and OME-Zarr folders at or below `path`, in order of their names.

    Hidden files and folders are passed by; an OME-Zarr folder is one item.
    """
    if _is_zarr(path) or path.is_file():
        yield path
        return
    for child in sorted(path.iterdir()):
        if child.name.startswith("."):
            continue
        if _is_zarr(child) or (child.is_file() and child.name.lower().endswith(SUFFIXES)):
            yield child
        elif child.is_dir() and not child.is_symlink():
            yield from find_items(child)


def deposit(
    session: Session,
    path: Path,
    project: str,
    dataset: str,
    kind: str,
    on_progress: Progress | None = None,
) -> Mapping[str, Any]:
    """Deposit one file or OME-Zarr folder and return the Deposit that is done, or raise.

    Half of the progress is sending, half the import by the service.
    """
    tell = on_progress or _silent
    parts = parts_of(path)
    files = [{"path": part.path, "nbytes": part.nbytes} for part in parts]
    body = {"kind": kind, "dataset": dataset, "files": files}
    opened = session.send("POST", f"projects/{segment(project)}/deposits", body)
    where = f"deposits/{segment(opened['uid'])}"
    try:
        _send_all(session, where, _address(opened), parts, tell)
        session.send("POST", f"{where}/commit", {})
        ended = _imported(session, where, path.name, tell)
    except BaseException:
        with suppress(CidError):  # what failed first is what the caller must hear
            session.send("DELETE", where)
        raise
    if ended["state"] == "done":
        return ended
    if ended["state"] == "aborted":
        raise Conflict(f"the deposit of {path.name} was aborted while it was imported")
    raise from_record(ended.get("error") or {})


def parts_of(path: Path) -> list[Part]:
    """Return the files that an item is made of, or raise BadInput for what is no item."""
    if path.is_file():
        return [Part(path, path.name, path.stat().st_size)]
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    if not _is_zarr(path):
        raise BadInput(f"{path} is a folder: upload each of cid_client.find_items({str(path)!r})")
    found = sorted(
        Path(folder, name) for folder, _, names in os.walk(path) for name in sorted(names)
    )
    if not found:
        raise BadInput(f"{path} is an empty folder")
    inside = path.resolve().name
    return [
        Part(file, f"{inside}/{file.relative_to(path).as_posix()}", file.stat().st_size)
        for file in found
    ]


def digest(part: Part) -> str:
    """Return the RFC 9530 digest of a part; BadInput if it is not as long as it was."""
    sha256, nbytes = hashlib.sha256(), 0
    for piece in _pieces(part.file):
        sha256.update(piece)
        nbytes += len(piece)
    if nbytes != part.nbytes:
        raise BadInput(f"{part.file} changed while it was uploaded: wait until it is finished")
    return f"sha-256=:{base64.b64encode(sha256.digest()).decode()}:"


def _send_all(
    session: Session, where: str, address: str, parts: list[Part], tell: Progress
) -> None:
    total = sum(part.nbytes for part in parts) or 1
    sent = 0
    began = time.monotonic()
    for part in parts:

        def count(nbytes: int, before: int = sent, name: str = part.file.name) -> None:
            tell(0.5 * (before + nbytes) / total, f"sending {name}")

        headers = {"Content-Length": str(part.nbytes), "Content-Digest": digest(part)}
        if time.monotonic() - began > TICKET_IS_OLD:  # a refused PUT may have sent gigabytes
            address, began = _address(session.get(where)), time.monotonic()
        try:
            session.put(address + below(part.path), _counted(part, count), headers)
        except NotLoggedIn:  # the write ticket has ended
            address = _address(session.get(where))
            session.put(address + below(part.path), _counted(part, count), headers)
        sent += part.nbytes


def _address(told: Mapping[str, Any]) -> str:
    if not told["upload"]:
        raise Conflict(f"deposit {told['uid']} is {told['state']}: upload it anew")
    return str(told["upload"])


def _imported(session: Session, where: str, name: str, tell: Progress) -> dict[str, Any]:
    told: dict[str, Any] = {}

    def ended() -> bool:
        told.update(session.get(where))
        far = told.get("progress") or {}
        tell(0.5 + 0.5 * float(far.get("fraction") or 0), str(far.get("text") or "importing"))
        return told["state"] in ENDED

    waiting.until(ended, None, f"the import of {name}")
    return told


def _counted(part: Part, count: Callable[[int], None]) -> Iterator[bytes]:
    sent = 0
    for piece in _pieces(part.file):
        yield piece
        sent += len(piece)
        count(sent)


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            yield piece


def _is_zarr(path: Path) -> bool:
    return path.name.endswith(".zarr") and path.is_dir()


def _silent(fraction: float, text: str) -> None:
    """Tell nobody."""
