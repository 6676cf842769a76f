"""Adopted files lie elsewhere now: digests are compared, then all references follow at once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from .core import journal
from .db import capture
from .db.session import Sessions, reading
from .db.tables import File, Reference
from .errors import Conflict, NotFound
from .storage import presence
from .storage.inplace import Place, Roots
from .storage.presence import Known
from .storage.roots import Folder

BATCH = 500
Told = Callable[[str, int, int], None]


@dataclass(slots=True)
class Relocated:
    """What was found, and moved if nothing was wrong: by old path what is wrong at the new one."""

    references: int = 0
    hashed: int = 0
    wrong: dict[str, str] = field(default_factory=dict)


def relocate(
    sessions: Sessions,
    storage: Folder,
    roots: Roots,
    old: tuple[str, str],
    new: tuple[str, str],
    person: str,
    *,
    sample: float = 1.0,
    dry: bool = False,
    told: Told = lambda what, done, total: None,
) -> Relocated:
    """Let all references at or below `old` (root and path) point to the same below `new`.

    A `sample` of them is read and hashed, of the others sizes are compared. With one that is not
    as it was registered nothing is changed. NotFound: nothing refers to `old`.
    """
    rows = _below(sessions, *old)
    if not rows:
        raise NotFound(f"no record refers to {old[0]}:{old[1]}")
    found = Relocated(len(rows))
    times: dict[int, tuple[str, int]] = {}
    for at, (record_id, known) in enumerate(rows):
        told(known.place.path, at, len(rows))
        path = f"{new[1]}/{known.place.path[len(old[1]) :].lstrip('/')}".strip("/")
        there = replace(known, place=replace(known.place, root=new[0], path=path))
        seen = presence.see(roots, storage, there, deep=random.random() < sample)
        found.hashed += seen.hashed
        if seen.state != "ok":
            found.wrong[known.place.path] = f"{new[0]}:{path}: {seen.reason}"
        times[record_id] = (path, known.place.mtime_ns if seen.mtime_ns is None else seen.mtime_ns)
    if not found.wrong and not dry:
        try:
            _rewrite(sessions, old, new, times, person)
        except IntegrityError:
            raise Conflict(f"something below {new[0]}:{new[1]} is adopted already") from None
    return found


def _rewrite(
    sessions: Sessions,
    old: tuple[str, str],
    new: tuple[str, str],
    times: dict[int, tuple[str, int]],
    person: str,
) -> None:
    """Change all references in one transaction, which is one entry of the journal."""
    with sessions.begin() as session:
        detail = {"from": ":".join(old), "to": ":".join(new), "records": len(times)}
        journal.record(session, person, "relocate", f"tree:{new[0]}", detail)
        ids = sorted(times)
        for at in range(0, len(ids), BATCH):
            some = ids[at : at + BATCH]
            capture.touch(session, Reference, some)
            asked = select(Reference).where(Reference.record_id.in_(some))
            for row in session.scalars(asked.with_for_update()):
                if row.root != old[0] or not (row.path + "/").startswith(f"{old[1]}/".lstrip("/")):
                    raise Conflict(f"{row.root}:{row.path} was relocated meanwhile: try again")
                path, mtime_ns = times[row.record_id]
                row.root, row.path, row.mtime_ns = new[0], path, mtime_ns
                row.state, row.reason = "ok", ""


def _below(sessions: Sessions, root: str, path: str) -> list[tuple[int, Known]]:
    columns = (File.uid, File.prefix, File.sha256, Reference)
    asked = select(*columns).join(Reference, Reference.record_id == File.id)
    asked = asked.where(Reference.root == root, File.purged_at.is_(None))
    if path:
        below = Reference.path.startswith(f"{path}/", autoescape=True)
        asked = asked.where(or_(Reference.path == path, below))
    with reading(sessions) as session:
        rows = session.execute(asked.order_by(Reference.record_id)).all()
        return [
            (row.Reference.record_id, _known(row.uid, row.prefix, row.sha256, row.Reference))
            for row in rows
        ]


def _known(uid: str, prefix: str, sha256: str, there: Reference) -> Known:
    place = Place(there.root, there.path, there.form, there.nbytes, there.mtime_ns)  # type: ignore[arg-type]
    return Known(uid, prefix, sha256, place, there.hashed_at is not None)
