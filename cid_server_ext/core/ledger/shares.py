"""Who and what takes a project's room: its datasets and its people, the largest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Dataset, Project
from ...errors import NotFound
from . import holdings, savings
from .holdings import Bytes
from .savings import Saving

MOST = 1000  # datasets or people of one answer


@dataclass(frozen=True, slots=True)
class Share:
    """A dataset's or a person's part of what a project holds."""

    name: str
    held: Bytes
    uid: str | None = None
    saves: Saving | None = None


def datasets(session: Session, project: Project) -> list[Share]:
    """Return the project's bytes by dataset, each without those below it, at most 1000 of them."""
    held = holdings.by_dataset(session, Project.id == project.id).get(project.id, {})
    asked = select(Dataset.id, Dataset.uid, Dataset.path).where(Dataset.project_id == project.id)
    rows = {row.id: row for row in session.execute(asked)}
    saves = savings.today(session)
    return [
        Share(rows[key].path, part, rows[key].uid, saves(project.team.tariff, part))
        for key, part in _largest(held)
    ]


def people(session: Session, project: Project, dataset: str | None = None) -> list[Share]:
    """Return the project's bytes by person, or those of one of its datasets, at most 1000 of them.

    `dataset` is a uid. Raises NotFound when the project has no such dataset.
    """
    held = holdings.by_person(session, project.id, _number(session, project, dataset))
    return [Share(person, part) for person, part in _largest(held)]


def _number(session: Session, project: Project, uid: str | None) -> int | None:
    if uid is None:
        return None
    # what lies in the trash is held too, so this is asked of the project alone
    asked = select(Dataset.id).where(Dataset.project_id == project.id, Dataset.uid == uid)
    found = session.scalar(asked)
    if found is None:
        raise NotFound(f"no dataset {uid!r} in project {project.name!r}")
    return found


def _largest(held: Mapping[Any, Bytes]) -> list[tuple[Any, Bytes]]:
    return sorted(held.items(), key=lambda item: (-item[1].used - item[1].archived, item[0]))[:MOST]
