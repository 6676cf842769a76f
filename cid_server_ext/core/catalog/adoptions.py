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
from . import commits, datasets, mask_tags, masked, tags
from .commits import NewFile, NewImage
from .folders import Folders
from .goals import Goal
from .masked import Told
from .references import Where
from .tagging import By

UNITS = uuid.UUID("a5b52a9e-6d0b-4f0b-9d70-5a1f5f0c7d11")
ADOPT, UNDONE = "adopt", "undo adoption"
REFUSALS = (BadInput, Conflict, NotFound)


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


def commit(
    session: Session, uid: str, person: str, several: Iterable[Adopted]
) -> tuple[int, dict[str, str]]:
    """Make these visible at once, or raise OverQuota.

    Return how many records came, and by path below the root what did not, and why.
    """
    ordered = sorted(several, key=_home)
    records, refused = 0, dict[str, str]()
    for _, same in groupby(ordered, _home):
        group = list(same)
        try:
            with session.begin_nested():
                records += _commit(session, uid, person, group)
        except REFUSALS as error:
            if len(group) == 1:
                refused[group[0].where.path] = str(error)
                continue
            for one in group:  # what is wrong with one of them is the others' no reason
                more, wrong = commit(session, uid, person, [one])
                records, refused = records + more, refused | wrong
    return records, refused


def _home(one: Adopted) -> tuple[str, str, str, str]:
    return (one.goal.project, one.goal.dataset, one.goal.instrument, one.goal.mask)


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
    into = _Bringing(project, dataset, project.id, dataset.id, person, {})
    if goal.mask:
        said = Told(goal.mask, goal.instrument)
        into.told.update(masked.kept(masked.choose(session, said), said))
    else:
        into.manifest["instrument"] = goal.instrument
    home = Folders(session, into)
    files: dict[str, File] = {}
    for one in several:
        file = files[one.file.uid] = commits.add_file(session, into, one.file, home)
        file.filename = one.where.path.rpartition("/")[2]
    session.flush()
    for one in several:
        session.add(_reference(uid, one, files[one.file.uid].id))
    made = [image for one in several for image in one.images]
    images = commits.add_images(session, into, made, home, files)
    _say(session, several, files, images, into)
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
    into: _Bringing,
) -> None:
    """Tag the images with what rule and mask say; a file that is no image itself, with the rule."""
    told: list[tuple[Record, Mapping[str, str]]] = []
    masks: dict[tuple[tuple[str, str], ...], list[tuple[Record, str]]] = {}
    for one in several:
        shown: list[Record] = [images[image.uid] for image in one.images]
        if shown and into.told:
            came = masks.setdefault(tuple(sorted(one.goal.tags.items())), [])
            came += [(record, one.where.path) for record in shown]
        elif one.goal.tags:
            told += [(record, one.goal.tags) for record in shown or [files[one.file.uid]]]
    tags.write_all(session, told, kind="sample", by=By("person", into.person))
    for said, came in masks.items():
        mask_tags.write(session, {**into.told, "tags": dict(said)}, came, into.person)
