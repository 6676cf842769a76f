"""Links: a record shown in a second dataset, of its own or another project, without a copy.

It is charged to its home and changed by those of its home; who sees the dataset sees it.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Dataset, Link, Record
from ...errors import Conflict, NotFound
from .. import journal, policy
from ..actor import Actor
from ..search import index
from . import datasets, records


def put(session: Session, actor: Actor, dataset: str, uid: str) -> Link:
    """Show a record in a dataset. Contributors of its home and of the dataset's project may."""
    target = datasets.held(session, actor, dataset)
    datasets.refuse_live(target)
    (row,) = records.required(session, actor, "contributor", [uid])
    records.refuse_original(row)
    if row.dataset_id == target.id:
        raise Conflict(f"{row.name!r} lies in this dataset: it needs no link")
    if (found := session.get(Link, (target.id, row.id))) is not None:
        return found
    _note(session, actor, "link", row, target)
    link = Link(
        dataset_id=target.id, record_id=row.id, project_id=target.project_id, linked_by=actor.name
    )
    session.add(link)
    session.flush()
    session.expire(row, ["links"])
    index.refresh(session, [row.id])
    return link


def remove(session: Session, actor: Actor, dataset: str, uid: str) -> None:
    """Show it there no more. Contributors of either side may: who shared it can end it alone."""
    row = policy.find(session, actor, Record, uid)
    called = select(Dataset).where(Dataset.uid == dataset, Dataset.trash_id.is_(None))
    at_home = select(Record.id).where(
        Record.id == row.id, policy.reachable(actor, "contributor", Record)
    )
    if session.scalar(at_home) is None:
        policy.require(session, actor, "contributor", Dataset, dataset)
    target = session.scalar(called)
    link = target and session.get(Link, (target.id, row.id))
    if target is None or link is None:
        raise NotFound(f"{row.name!r} is not linked into dataset {dataset!r}")
    _note(session, actor, "unlink", row, target)
    session.delete(link)
    session.flush()
    session.expire(row, ["links"])
    index.refresh(session, [row.id])


def _note(session: Session, actor: Actor, action: str, row: Record, target: Dataset) -> None:
    """Tell both projects: the dataset's, where it can be undone, and the record's home."""
    detail = {"project": target.project.name, "dataset": target.path, "name": row.name}
    for project_id in dict.fromkeys((target.project_id, row.project_id)):
        about = records.subject([row])
        journal.record(session, actor.name, action, about, detail, project_id=project_id)
