"""Measures the quality of stored images again: those whose measures have an older version.

What is done is in the images themselves, so it goes on where it was stopped. The pixels are read in
a limited child, as at an import; a batch of images of one project is one step of the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .core import journal
from .core.catalog import quality, references, tagging
from .core.catalog.references import Where
from .core.search import index
from .db.session import Sessions, reading
from .db.tables import Image, Project
from .errors import BadFile, BadInput, NotFound
from .ingest.limits import Limits
from .ingest.workers import Worker
from .storage.inplace import Roots
from .storage.quality import VERSION
from .storage.roots import Folder

BATCH = 20  # images in one step
READ = 500  # rows looked at in one query
PERSON = "cid"
Told = Callable[[str, int, int], None]


@dataclass(slots=True)
class Measured:
    """What was done: how many images are older, were measured, and why others were not."""

    older: int = 0
    measured: int = 0
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Old:
    id: int
    uid: str
    name: str
    project_id: int
    prefix: str
    place: Where | None = None

    def store(self, root: Folder, roots: Roots) -> Path:
        """Return where its pixels lie, or raise BadFile when they are not to be read there."""
        if self.place is None:
            return root.path(self.prefix) / "image.ome.zarr"
        if self.place.changed:
            raise BadFile("its bytes in place are not what was registered")
        try:
            return roots.path(self.place.root, self.place.path)
        except (BadInput, NotFound) as error:
            raise BadFile(str(error)) from None


def measure_again(
    sessions: Sessions,
    root: Folder,
    *,
    project: str | None = None,
    older_than: int = VERSION,
    most: int | None = None,
    dry: bool = False,
    roots: Roots | None = None,
    told: Told = lambda what, done, total: None,
) -> Measured:
    """Measure images whose quality has a version below `older_than`, or none; at most `most`.

    dry: only count them. roots: where images lie that stay in place. Raises NotFound for a project
    that is not there.
    """
    with reading(sessions) as session:
        project_id = _project(session, project)
    found = Measured()
    if dry:
        found.older = sum(1 for _ in islice(_older(sessions, project_id, older_than), most))
        return found
    with Worker(Limits()) as worker:
        old = islice(_older(sessions, project_id, older_than), most)
        while batch := list(islice(old, BATCH)):
            made: dict[int, dict[str, Any]] = {}
            for one in batch:
                found.older += 1
                told(one.name, found.older, most or 0)
                try:
                    answer = worker.measure(one.store(root, roots or Roots()))
                except BadFile as error:
                    found.failed[one.uid] = str(error)
                else:
                    if answer is not None:
                        made[one.id] = answer
            found.measured += _keep(sessions, made, older_than)
    return found


def _keep(sessions: Sessions, made: dict[int, dict[str, Any]], older_than: int) -> int:
    """Keep the measures of a batch, but of images that somebody else has measured meanwhile."""
    if not made:
        return 0
    with sessions.begin() as session:
        tagging.lock(session, made)
        rows = session.scalars(select(Image).where(Image.id.in_(made)).order_by(Image.id)).all()
        rows = [row for row in rows if row.purged_at is None and _version(row.quality) < older_than]
        projects = sorted({row.project_id for row in rows})
        for project_id in projects:
            detail = {
                "images": sum(row.project_id == project_id for row in rows),
                "version": VERSION,
            }
            name = session.get_one(Project, project_id).name
            journal.record(
                session, PERSON, "measure quality", f"project:{name}", detail, project_id=project_id
            )
        for row in rows:
            row.quality = made[row.id]
            quality.tag(session, row, row.created_by)
        index.refresh(session, [row.id for row in rows])
    return len(rows)


def _older(sessions: Sessions, project_id: int | None, older_than: int) -> Iterator[_Old]:
    """Yield the images to measure by their id; an image that cannot be is met once."""
    after = 0
    columns = (Image.id, Image.uid, Image.name, Image.project_id, Image.prefix, Image.quality)
    here = (Image.kind == "image", Image.purged_at.is_(None), Image.tier == "online")
    chosen = select(*columns).where(*here).order_by(Image.id).limit(READ)
    if project_id is not None:
        chosen = chosen.where(Image.project_id == project_id)
    while True:
        with reading(sessions) as session:
            rows = session.execute(chosen.where(Image.id > after)).all()
            some = [row.id for row in rows if _version(row.quality) < older_than]
            apart = Image.id.in_(some) & Image.inside.is_not(None)
            places = references.places(session, session.scalars(select(Image).where(apart)))
        for row in rows:
            if _version(row.quality) < older_than:
                told = (row.id, row.uid, row.name, row.project_id, row.prefix)
                yield _Old(*told, places.get(row.id))
        if len(rows) < READ:
            return
        after = rows[-1].id


def _version(told: dict[str, Any] | None) -> int:
    return int((told or {}).get("version", 0))


def _project(session: Session, name: str | None) -> int | None:
    if name is None:
        return None
    found = session.scalar(select(Project.id).where(Project.name == name))
    if found is None:
        raise NotFound(f"no project {name!r}")
    return found
