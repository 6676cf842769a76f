"""What the facility holds already of the bytes that somebody wants to bring, as far as he may read.

A file is known by its sha256 and length. Of an OME-Zarr, a folder, the digest is that of its sorted
lines "path sha256". Nothing is told, and nothing saved, of what the caller may not read.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import File, Image
from ...errors import BadInput
from .. import policy
from ..actor import Actor

BATCH = 500
KINDS = ("original", "file")
ZARR = (".zarr", ".ome.zarr")

Declared = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """A declared file, or folder, that `file` holds; with the images that were read from it."""

    path: str
    file: File
    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the bytes lie that were not sent."""

    uid: str
    key: str


def mark(session: Session, actor: Actor, project_id: int, declared: Declared) -> Declared:
    """Return what is declared, each file that is held already with the uid of its record."""
    items = dict(_items(declared))
    there = known(session, actor, project_id, items.values())
    held = {path: there[what] for path, what in items.items() if what in there}
    return [_marked(file, held) for file in declared]


def arrived(
    session: Session,
    actor: Actor,
    project_id: int,
    declared: Declared,
    sha256: Mapping[str, str],
) -> Declared:
    """Return what is declared, marked as `mark` does it with the digests of what came."""
    told = [file | {"sha256": sha256.get(file["path"])} for file in declared]
    marked = mark(session, actor, project_id, told)
    return [old if "held" in old else new for old, new in zip(declared, marked, strict=True)]


def found(session: Session, actor: Actor, declared: Declared) -> list[Found]:
    """Return what is marked, as far as the caller reads it now."""
    uids = {file["path"]: file["held"] for file in declared if "held" in file}
    return among(session, actor, _items_of(declared, uids))


def among(session: Session, actor: Actor, uids: dict[str, str]) -> list[Found]:
    """Return the records of these uids, by path, with their images; the others are left out."""
    files = {row.uid: row for row in _visible(session, actor, File, File.uid, uids.values())}
    ids = [row.id for row in files.values()]
    images: dict[int, list[Image]] = {}
    for image in _visible(session, actor, Image, Image.original_id, ids):
        images.setdefault(image.original_id or 0, []).append(image)
    return [
        Found(path, files[uid], tuple(images.get(files[uid].id, ())))
        for path, uid in uids.items()
        if uid in files
    ]


def require(session: Session, actor: Actor, declared: Declared) -> None:
    """Raise BadInput when something that need not be sent is not the caller's to read any more."""
    marked = {file["held"] for file in declared if "held" in file}
    left = marked - {row.uid for row in _visible(session, actor, File, File.uid, marked)}
    for file in declared:
        if file.get("held") in left:
            raise BadInput(f"{file['path']}: it is no longer here: open a deposit and upload it")


def kept(session: Session, declared: Declared) -> dict[str, Kept]:
    """Return where the bytes of all that is marked lie, by path; a folder before its files."""
    marked = {file["path"]: file["held"] for file in declared if "held" in file}
    rows: dict[str, Kept] = {}
    for some in _batches(set(marked.values())):
        for row in session.scalars(select(File).where(File.uid.in_(some))):
            rows[row.uid] = Kept(row.uid, f"{row.prefix or f'purged/{row.uid}'}/{row.stored}")
    items = _items_of(declared, marked)
    return {path: rows[uid] for path, uid in {**items, **marked}.items() if uid in rows}


def _marked(file: dict[str, Any], held: dict[str, str]) -> dict[str, Any]:
    path = file["path"]
    uid = held.get(path) or held.get(_folder(path))
    plain = {key: value for key, value in file.items() if key in ("path", "nbytes")}
    return plain | ({"held": uid} if uid else {})


def _folder(path: str) -> str:
    """Return the outermost folder of a path that is an OME-Zarr by its name, or nothing."""
    parts = path.split("/")
    for n, part in enumerate(parts[:-1]):
        if part.endswith(ZARR):
            return "/".join(parts[: n + 1])
    return ""


def _items(declared: Declared) -> Iterable[tuple[str, tuple[str, int]]]:
    """Yield (path, (sha256, bytes)) of each file, and of each folder all of which is told."""
    folders: dict[str, list[dict[str, Any]]] = {}
    for file in declared:
        if place := _folder(file["path"]):
            folders.setdefault(place, []).append(file)
        elif file.get("sha256") and file["nbytes"]:
            yield file["path"], (file["sha256"], file["nbytes"])
    for place, files in folders.items():
        if all(file.get("sha256") for file in files):
            names = (f"{f['path'].removeprefix(f'{place}/')} {f['sha256']}\n" for f in files)
            digest = hashlib.sha256("".join(sorted(names)).encode()).hexdigest()
            yield place, (digest, sum(file["nbytes"] for file in files))


def _items_of(declared: Declared, uids: dict[str, str]) -> dict[str, str]:
    """Return the uids by what was looked up: a folder once, not each of its files."""
    found: dict[str, str] = {}
    for file in declared:
        if uid := uids.get(file["path"]):
            found[_folder(file["path"]) or file["path"]] = uid
    return found


def known(
    session: Session,
    actor: Actor,
    project_id: int,
    wanted: Iterable[tuple[str, int]],
    since: dt.datetime | None = None,
) -> dict[tuple[str, int], str]:
    """Return uid by (sha256, bytes): one in the project itself before others, older ones first.

    An original counts while the caller sees an image that was read from it. since: those that came
    before it do not count.
    """
    shas = {sha256 for sha256, _ in wanted}
    rows = _visible(session, actor, File, File.sha256, shas)
    rows = [row for row in rows if row.kind in KINDS and row.tier == "online"]
    rows = [row for row in rows if since is None or row.created_at >= since]
    read = _visible(session, actor, Image, Image.original_id, [row.id for row in rows])
    alive = {image.original_id for image in read}
    uids: dict[tuple[str, int], str] = {}
    for row in sorted(rows, key=lambda row: (row.project_id != project_id, row.id)):
        if row.kind == "file" or row.id in alive:
            uids.setdefault((row.sha256, row.nbytes), row.uid)
    return uids


def _visible(
    session: Session, actor: Actor, record: type[Any], column: Any, values: Iterable[Any]
) -> list[Any]:
    rows: list[Any] = []
    for some in _batches(values):
        chosen = policy.visible(actor, record).where(column.in_(some)).order_by(record.id)
        rows += session.scalars(chosen)
    return rows


def _batches(values: Iterable[Any]) -> Iterable[Sequence[Any]]:
    several = list(dict.fromkeys(values))
    return [several[at : at + BATCH] for at in range(0, len(several), BATCH)]
