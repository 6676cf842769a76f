"""The trash: what is thrown away is hidden at once, counted for 30 days, and comes back as it was.

Nothing is taken off a record but its places in searches: tags, links and notes stay on it. A
dataset takes all below it along, an image the file it was read from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from ...db import capture, clock
from ...db.tables import Dataset, Deposit, Image, Project, Record, Trash
from ...errors import BadInput, Conflict
from .. import journal, policy
from ..actor import Actor
from ..catalog import datasets, homes, records
from ..catalog.homes import CAPTURED, batches
from ..search import index
from . import awaited

GRACE = dt.timedelta(days=30)
MOST = 100_000  # records of one step
MOST_DATASETS = 100  # named in one call
PAGE = 200


@dataclass(frozen=True, slots=True)
class Held:
    """What lies in one step's trash: how many records (originals apart), the first of them."""

    trash: Trash
    records: int
    first: list[Record]
    datasets: list[str]


def throw(
    session: Session,
    actor: Actor,
    uids: Sequence[str],
    folders: Sequence[str],
    *,
    force: bool = False,
) -> Trash:
    """Throw records and datasets of one project away, all or nothing. Contributors may.

    Conflict: a run reads one of them, or a deposit is on its way into one. With `force` runs that
    only wait for them fail; NotAllowed: they are other people's, who are not the caller's to end.
    """
    if not uids and not folders:
        raise BadInput("records: name at least one record or dataset")
    if len(folders) > MOST_DATASETS:
        raise BadInput(f"datasets: at most {MOST_DATASETS} in one step")
    tops = [datasets.held(session, actor, uid) for uid in folders]
    rows = records.required(session, actor, "contributor", uids) if uids else []
    project = _one_project([*tops, *rows])
    for row in rows:
        records.refuse_original(row)
    tree = _below(session, tops)
    ids = {row.id for row in rows} | set(_lying(session, [dataset.id for dataset in tree]))
    ids |= set(records.originals(session, ids, Image.trash_id.is_not(None)))
    left = dict(records.users(session, ids, ids, Image.trash_id.is_not(None)))
    ids -= left.keys()
    if len(ids) > MOST:
        raise BadInput(f"datasets: more than {MOST} records lie in them, take them in parts")
    awaited.refuse(session, ids, force=force)
    _refuse_coming(session, [dataset.id for dataset in tree])
    what, about = _told(tops, rows), _subject(project, tops, rows)
    trash = Trash(
        project_id=project.id,
        person=actor.name,
        what=what[:400],
        nbytes=_nbytes(session, ids),
        purge_at=clock.now(session) + GRACE,
    )
    session.add(trash)
    session.flush()
    detail = {"trash": trash.uid, "what": what, "records": len(ids), "bytes": trash.nbytes}
    journal.record(session, actor.name, "trash", about, detail, project_id=project.id)
    for number, dataset_id in left.items():  # files of images that stay lie with these now
        file, home = session.get_one(Record, number), session.get_one(Dataset, dataset_id)
        homes.move_records(session, [file], home)
    _put(session, Record, ids, trash.id)
    _put(session, Dataset, [dataset.id for dataset in tree], trash.id)
    index.refresh(session, ids | homes.shown_in(session, [dataset.id for dataset in tree]))
    if force and (ended := awaited.end(session, actor, ids)):  # after the entry that tells why
        detail["runs"] = ended
    return trash


def listing(session: Session, actor: Actor, project: str, after: int | None = None) -> list[Held]:
    """Return a page of what lies in a project's trash, newest first. Viewers may."""
    row = policy.find(session, actor, Project, project)
    kept = policy.visible(actor, Trash).where(Trash.project_id == row.id, Trash.state == "kept")
    if after is not None:
        kept = kept.where(Trash.id < after)
    return [look(session, t) for t in session.scalars(kept.order_by(Trash.id.desc()).limit(PAGE))]


def look(session: Session, trash: Trash, first: int = 20) -> Held:
    """Return what one step threw away, with the first of its records."""
    seen = (Record.trash_id == trash.id) & (Record.kind != "original")
    count = select(func.count()).select_from(Record).where(seen)
    some = select(Record).where(seen).order_by(Record.id).limit(first)
    paths = select(Dataset.path).where(Dataset.trash_id == trash.id).order_by(Dataset.path)
    return Held(
        trash,
        int(session.scalar(count) or 0),
        list(session.scalars(some)),
        list(session.scalars(paths.limit(first))),
    )


def restore(session: Session, actor: Actor, uid: str) -> Trash:
    """Bring everything of one step back as it was. Contributors may.

    A dataset whose path is taken comes back beside it, as "path (restored)"; a record whose
    dataset is gone comes back in a dataset of the same path.
    """
    trash = policy.require(session, actor, "contributor", Trash, uid)
    datasets.hold(session, [trash.project_id])
    end(session, trash, "restored")
    tree = list(session.scalars(_parents_first(trash)))
    ids = set(session.scalars(select(Record.id).where(Record.trash_id == trash.id)))
    others = _originals_elsewhere(session, trash)
    detail = {"trash": trash.uid, "what": trash.what, "records": len(ids)}
    about = f"project:{trash.project.name}"
    journal.record(session, actor.name, "restore", about, detail, project_id=trash.project_id)
    _put(session, Record, ids, None)
    for original in others:
        original.trash_id = None
    ids.update(original.id for original in others)
    for dataset in tree:
        _place(session, actor, trash, dataset)
    _house(session, actor, ids)
    index.refresh(session, ids | homes.shown_in(session, [dataset.id for dataset in tree]))
    return trash


def end(session: Session, trash: Trash, state: str) -> None:
    """Say once what became of it, or raise Conflict: it was restored or purged already."""
    session.flush()
    capture.touch(session, Trash, [trash.id])
    kept = (Trash.id == trash.id) & (Trash.state == "kept")
    ended = update(Trash).where(kept).values(state=state).returning(Trash.id)
    moved = session.scalar(ended, execution_options=CAPTURED)
    session.refresh(trash)
    if moved is None:
        raise Conflict(f"what was thrown away here is {trash.state} already")


def _one_project(rows: Sequence[Dataset | Record]) -> Project:
    projects = {row.project_id: row.project for row in rows}
    if len(projects) > 1:
        raise BadInput("records: of one project at a time")
    return next(iter(projects.values()))


def _below(session: Session, tops: Sequence[Dataset]) -> list[Dataset]:
    found: dict[int, Dataset] = {}
    for top in tops:
        if not top.path:
            raise BadInput("datasets: a project's own dataset stays; throw away what lies in it")
        found |= {d.id: d for d in datasets.below(session, top) if d.trash_id is None}
    return list(found.values())


def _lying(session: Session, dataset_ids: Sequence[int]) -> list[int]:
    found: list[int] = []
    for batch in batches(dataset_ids):
        inside = (Record.dataset_id.in_(batch)) & Record.trash_id.is_(None)
        chosen = select(Record.id).where(inside, Record.purged_at.is_(None)).order_by(Record.id)
        found += session.scalars(chosen.with_for_update())
    return found


def _refuse_coming(session: Session, dataset_ids: Sequence[int]) -> None:
    for batch in batches(dataset_ids):
        inside = Deposit.dataset_id.in_(batch) & Deposit.state.in_(("open", "importing"))
        if session.scalar(select(Deposit.id).where(inside).limit(1)) is not None:
            raise Conflict("a deposit into it is under way: wait for it, or give it up")


def _nbytes(session: Session, ids: Iterable[int]) -> int:
    total = 0
    for batch in batches(sorted(ids)):
        total += sum(session.scalars(select(Record.nbytes).where(Record.id.in_(batch))))
    return total


def _told(tops: Sequence[Dataset], rows: Sequence[Record]) -> str:
    told = [f"dataset {top.path}" for top in tops] + [row.name for row in rows]
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


def _subject(project: Project, tops: Sequence[Dataset], rows: Sequence[Record]) -> str:
    if len(rows) == 1 and not tops:
        return records.subject(rows)
    if len(tops) == 1 and not rows:
        return f"dataset:{tops[0].uid}"
    return f"project:{project.name}"


def _put(
    session: Session,
    table: type[Record] | type[Dataset],
    ids: Iterable[int],
    trash_id: int | None,
) -> None:
    """Put rows into the trash, or take them out."""
    for batch in batches(sorted(ids)):
        capture.touch(session, table, batch)
        moved = update(table).where(table.id.in_(batch)).values(trash_id=trash_id)
        session.execute(moved, execution_options=CAPTURED)


def _parents_first(trash: Trash) -> Select[Dataset]:
    return select(Dataset).where(Dataset.trash_id == trash.id).order_by(func.length(Dataset.path))


def _originals_elsewhere(session: Session, trash: Trash) -> list[Record]:
    """Return the files that images of this step were read from and that a later step took."""
    theirs = select(Image.original_id).where(Image.trash_id == trash.id)
    taken = select(Record).where(Record.id.in_(theirs), Record.purged_at.is_(None))
    return list(session.scalars(taken.where(Record.trash_id != trash.id)))


def _place(session: Session, actor: Actor, trash: Trash, dataset: Dataset) -> None:
    """Give a dataset its place in the tree again, or one beside it."""
    above, _, name = dataset.path.rpartition("/")
    parent = dataset.parent
    if parent is None or parent.trash_id is not None:
        parent = datasets.at(session, actor, trash.project, above)
    dataset.parent_id, old = parent.id, dataset.path
    way = f"{parent.path}/{name}" if parent.path else name
    path = datasets.free(session, trash.project, way)
    for below in datasets.below(session, dataset):
        below.path = path + below.path.removeprefix(old)
    dataset.trash_id = None
    session.flush()


def _house(session: Session, actor: Actor, ids: Iterable[int]) -> None:
    """Put records whose dataset is in the trash, or purged, into one of the same path.

    In their own project: the file of an image may have stayed in the one that image came from.
    """
    for batch in batches(sorted(ids)):
        lost = select(Record).join(Record.dataset).where(Record.id.in_(batch))
        for row in session.scalars(lost.where(Dataset.trash_id.is_not(None))):
            row.dataset_id = datasets.at(session, actor, row.project, row.dataset.path).id
    session.flush()
    session.expire_all()
