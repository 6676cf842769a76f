"""What is held, by dataset and by person: one statement over the records, for all who show it.

The widget, the API, the ledger and the invoice take their bytes from here. A record is counted
once, at its home. `online` and `trashed` bytes count against the allocation, `archived` ones not.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from ...db.tables import Dataset, Link, Project, Record


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes by where they lie."""

    online: int = 0
    trashed: int = 0
    archived: int = 0

    @property
    def used(self) -> int:
        """Return what counts against the allocation."""
        return self.online + self.trashed

    def __add__(self, other: Bytes) -> Bytes:
        return Bytes(
            self.online + other.online,
            self.trashed + other.trashed,
            self.archived + other.archived,
        )


def total(parts: Iterable[Bytes]) -> Bytes:
    """Return the sum."""
    return sum(parts, Bytes())


def by_dataset(
    session: Session, which: ColumnElement[bool] | None = None, at: dt.datetime | None = None
) -> dict[int, dict[int, Bytes]]:
    """Return the bytes by project and dataset, of all projects or of those `which` keeps.

    With `at`: what was held at that moment, as far as records tell: by when they came and were
    purged. Where they lay, and whether in the trash, is as it is now.
    """
    asked = _sums(Record.project_id, Record.dataset_id).where(_held(at))
    if which is not None:
        asked = asked.where(Record.project_id.in_(select(Project.id).where(which)))
    found: dict[int, dict[int, Bytes]] = defaultdict(dict)
    for project_id, dataset_id, *sums in session.execute(asked):
        found[project_id][dataset_id] = Bytes(*map(int, sums))
    return dict(found)


def by_person(session: Session, project_id: int, dataset_id: int | None = None) -> dict[str, Bytes]:
    """Return a project's bytes by the person who brought them, or whose run made them.

    With `dataset_id` only those that lie in this dataset, not below it.
    """
    asked = _sums(Record.created_by).where(_held(None), Record.project_id == project_id)
    if dataset_id is not None:
        asked = asked.where(Record.dataset_id == dataset_id)
    return {person: Bytes(*map(int, sums)) for person, *sums in session.execute(asked)}


def linked(session: Session, which: ColumnElement[bool] | None = None) -> dict[int, int]:
    """Return the bytes by project of the records linked into it and charged elsewhere.

    Each record once in a project; those in the trash are shown nowhere and not counted.
    """
    return _linked(session, Link.project_id, Record.project_id != Link.project_id, which)


def linked_in_team(session: Session, which: ColumnElement[bool] | None = None) -> dict[int, int]:
    """Return the bytes by team of the records linked into its projects from other teams'."""
    here = select(Project.team_id).where(Project.id == Link.project_id).scalar_subquery()
    home = select(Project.team_id).where(Project.id == Record.project_id).scalar_subquery()
    return _linked(session, here, home != here, which)


def _linked(
    session: Session,
    place: ColumnElement[Any] | Any,
    foreign: ColumnElement[bool],
    which: ColumnElement[bool] | None,
) -> dict[int, int]:
    once = (
        select(place.label("place"), Record.id, Record.nbytes)
        .select_from(Link)
        .join(Record, Record.id == Link.record_id)
        .join(Dataset, Dataset.id == Link.dataset_id)
        .where(foreign, Dataset.trash_id.is_(None))
        .where(Record.trash_id.is_(None), Record.purged_at.is_(None))
        .distinct()
    )
    if which is not None:
        once = once.where(Link.project_id.in_(select(Project.id).where(which)))
    counted = once.subquery()
    asked = select(counted.c.place, func.sum(counted.c.nbytes)).group_by(counted.c.place)
    return {place: int(nbytes) for place, nbytes in session.execute(asked)}


def _sums(*groups: Any) -> Select[Any]:
    online, kept = Record.tier == "online", Record.trash_id.is_(None)
    wanted = (online & kept, online & ~kept, ~online)
    sums = (func.sum(case((which, Record.nbytes), else_=0)) for which in wanted)
    return select(*groups, *sums).group_by(*groups)


def _held(at: dt.datetime | None) -> ColumnElement[bool]:
    if at is None:
        return Record.purged_at.is_(None)
    return and_(Record.created_at < at, or_(Record.purged_at.is_(None), Record.purged_at >= at))
