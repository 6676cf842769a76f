"""What is adopted in place becomes records: rows and references, in one transaction a batch.

All that one adoption brings is one unit: `life.takeback` takes it back.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...db.tables import Dataset, File, Image, Journal, Project, Record, Reference, Team
from ...errors import BadInput, Conflict, NotFound
from .. import journal, names
from ..actor import Actor
from ..ledger import allocations
from ..search import index
from . import commits, datasets, tags
from .commits import NewFile, NewImage
from .goals import Goal
from .references import Where
from .tagging import By

UNITS = uuid.UUID("a5b52a9e-6d0b-4f0b-9d70-5a1f5f0c7d11")
ADOPT, UNDONE = "adopt", "undo adoption"


@dataclass(frozen=True, slots=True)
class Adopted:
    """One file, or several that belong together, with the images it holds."""

    goal: Goal
    where: Where
    file: NewFile
    images: Sequence[NewImage] = ()
    hashed: bool = True

    @property
    def nbytes(self) -> int:
        """What the project is charged: the bytes that are stored here."""
        return sum(image.nbytes for image in self.images)


@dataclass(slots=True)
class _Bringing:
    """Whereto, as `commits` asks for it."""

    project: Project
    dataset: Dataset
    project_id: int
    dataset_id: int
    person: str
    manifest: dict[str, Any]
    run_id: None = None
    told: dict[str, Any] = field(default_factory=dict)


def unit(session: Session, root: str, path: str, rules: str) -> str:
    """Return the uid of the adoption of this tree by these rules.

    It is the same until it is taken back, so that what was stopped goes on as the same unit.
    """
    earlier = select(func.max(Journal.id)).where(Journal.action == UNDONE)
    named = f"{root}\n{path}\n{rules}\n"
    uid = str(uuid.uuid5(UNITS, named))
    for again in range(1000):
        if session.scalar(earlier.where(Journal.subject == f"adoption:{uid}")) is None:
            return uid
        uid = str(uuid.uuid5(UNITS, f"{named}{again}"))
    raise Conflict("this tree was adopted and taken back a thousand times")


def project_of(session: Session, goal: Goal) -> Project:
    """Return the project that a rule names, or raise what keeps things out of it."""
    asked = select(Project, Team.name).join(Team, Team.id == Project.team_id)
    found = session.execute(asked.where(Project.name == goal.project)).one_or_none()
    if found is None:
        raise NotFound(f"there is no project {goal.project!r}: make it, or change the rule")
    project, team = found
    if goal.team and goal.team != team:
        raise Conflict(f"project {goal.project!r} is not of team {goal.team!r}")
    if project.state != "active":
        raise Conflict(f"project {goal.project!r} is {project.state}: it takes nothing")
    path = names.dataset_path(goal.dataset, "dataset")
    if datasets.is_live(session, project, path):
        raise BadInput(f"dataset {path!r} is live, it shows what its query finds: use another")
    return project


def commit(session: Session, uid: str, person: str, several: Iterable[Adopted]) -> int:
    """Make these visible at once, or raise OverQuota or Conflict; return how many records."""
    ordered = sorted(several, key=_home)
    records = 0
    for _, group in groupby(ordered, _home):
        records += _commit(session, uid, person, list(group))
    return records


def _home(one: Adopted) -> tuple[str, str, str]:
    return (one.goal.project, one.goal.dataset, one.goal.instrument)


def _commit(session: Session, uid: str, person: str, several: list[Adopted]) -> int:
    goal, nbytes = several[0].goal, sum(one.nbytes for one in several)
    project = project_of(session, goal)
    detail = {
        "records": sum(1 + len(one.images) for one in several),
        "bytes": nbytes,
        "first": f"{several[0].where.root}:{several[0].where.path}",
    }
    journal.record(session, person, ADOPT, f"adoption:{uid}", detail, project_id=project.id)
    allocations.reserve(session, project.id, nbytes)
    allocations.settle(session, project.id, reserved=nbytes, used=nbytes)
    path = names.dataset_path(goal.dataset, "dataset")
    dataset = datasets.at(session, Actor(person), project, path)
    manifest = {"instrument": goal.instrument}
    into = _Bringing(project, dataset, project.id, dataset.id, person, manifest)
    home = commits.Home(session, into)
    files: dict[str, File] = {}
    for one in several:
        file = files[one.file.uid] = commits.add_file(session, into, one.file, home)
        file.filename = one.where.path.rpartition("/")[2]
    session.flush()
    for one in several:
        session.add(_reference(uid, one, files[one.file.uid].id))
    made = [image for one in several for image in one.images]
    images = commits.add_images(session, into, made, home, files)
    _say(session, several, files, images, person)
    index.refresh(session, [record.id for record in (*files.values(), *images.values())])
    return len(files) + len(images)


def _reference(uid: str, one: Adopted, record_id: int) -> Reference:
    where = one.where
    return Reference(
        record_id=record_id,
        adoption=uid,
        root=where.root,
        path=where.path,
        form=where.form,
        nbytes=where.nbytes,
        mtime_ns=where.mtime_ns,
        hashed_at=None if not one.hashed else func.now(),
    )


def _say(
    session: Session,
    several: Sequence[Adopted],
    files: Mapping[str, File],
    images: Mapping[str, Image],
    person: str,
) -> None:
    """Tag the images with what the rule says; a file that is no image itself."""
    told: list[tuple[Record, Mapping[str, str]]] = []
    for one in several:
        shown: list[Record] = [images[image.uid] for image in one.images]
        shown = shown or [files[one.file.uid]]
        told += [(record, one.goal.tags) for record in shown if one.goal.tags]
    tags.write_all(session, told, kind="sample", by=By("person", person))
