"""Datasets: folders that nest; a path names one in its project."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...db.tables import Dataset, Project
from ...errors import Conflict
from .. import journal, names, policy
from ..actor import Actor


def create(session: Session, actor: Actor, project: str, path: str) -> Dataset:
    """Return the dataset at `path`, made with its parents when absent. Contributors may."""
    row = policy.require(session, actor, "contributor", Project, project)
    return at(session, actor, row, names.dataset_path(path))


def at(session: Session, actor: Actor, project: Project, path: str) -> Dataset:
    """Return the dataset at a clean `path`, made with its parents when absent."""
    found = session.scalar(
        select(Dataset).where(Dataset.project_id == project.id, Dataset.path == path)
    )
    if found is not None:
        return found
    parent = at(session, actor, project, path.rpartition("/")[0]) if path else None
    dataset = Dataset(project_id=project.id, path=path, parent_id=parent and parent.id)
    session.add(dataset)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(f"dataset {path!r} was made by somebody else just now: retry") from None
    journal.record(
        session,
        actor.name,
        "create dataset",
        f"dataset:{dataset.uid}",
        {"project": project.name, "path": path},
    )
    return dataset
