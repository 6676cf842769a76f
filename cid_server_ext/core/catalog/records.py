"""Records, images and other files alike: found together, renamed, put into another dataset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, not_, select
from sqlalchemy.orm import Session, joinedload

from ...db.tables import File, Image, Record
from ...errors import BadInput, Conflict, NotFound
from .. import journal, names, policy
from ..actor import Actor
from ..search import index
from . import datasets, homes

MOST = 1000  # records of one call


def required(session: Session, actor: Actor, role: str, uids: Sequence[str]) -> list[Record]:
    """Return the records in this order, or raise as `policy.require` does for the first at fault.

    Nobody else changes them until this transaction ends.
    """
    if not 1 <= len(uids) <= MOST or len(set(uids)) != len(uids):
        raise BadInput(f"records: 1 to {MOST} of them, each once")
    chosen = policy.visible(actor, Record).where(Record.uid.in_(uids))
    held = chosen.order_by(Record.id).with_for_update(of=Record)
    fresh = held.execution_options(populate_existing=True).options(joinedload(Record.project))
    found = {row.uid: row for row in session.scalars(fresh)}
    allowed = select(Record.uid).where(Record.uid.in_(uids), policy.reachable(actor, role, Record))
    may = set(session.scalars(allowed))
    for uid in uids:
        if uid not in found:
            raise NotFound(f"no record {uid!r} that you can see")
        if uid not in may:
            policy.require(session, actor, role, Record, uid)  # it says why
    return [found[uid] for uid in uids]


def subject(rows: Sequence[Record]) -> str:
    """Return what a journal entry about these records is about: the one, or the first's project."""
    first = rows[0]
    return f"{first.type}:{first.uid}" if len(rows) == 1 else f"project:{first.project.name}"


def rename(session: Session, actor: Actor, row: Record, name: str) -> None:
    """Give a record another name for people; its uid and bytes stay."""
    refuse_original(row)
    clean = names.label(name, row.type)
    if clean == row.name:
        return
    detail = {"from": row.name, "to": clean}
    journal.record(session, actor.name, "rename", subject([row]), detail, project_id=row.project_id)
    if isinstance(row, File):
        row.filename = row.stored
    row.name = clean
    index.refresh(session, [row.id])


def change(
    session: Session,
    actor: Actor,
    record: type[Image] | type[File],
    uid: str,
    *,
    name: str | None = None,
    dataset: str | None = None,
) -> None:
    """Rename a record, put it into another dataset, or both. Contributors may."""
    if name is None and dataset is None:
        raise BadInput("name: give another name, or the uid of another dataset")
    row = policy.require(session, actor, "contributor", record, uid)
    if name is not None:
        rename(session, actor, row, name)
    if dataset is not None:
        move(session, actor, [uid], dataset)


def move(session: Session, actor: Actor, uids: Sequence[str], dataset: str) -> list[Record]:
    """Put records into another dataset, with their originals. Contributors may, in both projects.

    In another project they and their bytes get a new home: it needs room there.
    """
    target = datasets.held(session, actor, dataset)
    datasets.refuse_live(target)
    rows = required(session, actor, "contributor", uids)
    for row in rows:
        refuse_original(row)
    rows = [row for row in rows if row.dataset_id != target.id]
    if not rows:
        return []
    leaves = any(row.project_id != target.project_id for row in rows)
    source = sorted({row.dataset.path for row in rows})
    detail: dict[str, Any] = {"to": target.path, "records": len(rows), "from": source[:20]}
    if leaves:
        detail["project"] = target.project.name
    about = subject(rows)
    journal.record(session, actor.name, "move", about, detail, project_id=rows[0].project_id)
    there = Image.project_id == target.project_id if leaves else Image.dataset_id == target.id
    theirs = originals(session, [row.id for row in rows], there)
    files = select(Record).where(Record.id.in_(theirs), Record.trash_id.is_(None))
    moved = [*rows, *session.scalars(files)]
    homes.move_records(session, moved, target)
    index.refresh(session, [row.id for row in moved])
    return rows


def originals(session: Session, images: Iterable[int], beside: ColumnElement[bool]) -> list[int]:
    """Return the ids of the files that these images were read from: they go where these go.

    A file that another image was read from too stays with that one, unless `beside` is true of it.
    """
    going = set(images)
    wanted: set[int] = set()
    for batch in homes.batches(sorted(going)):
        theirs = select(Image.original_id).where(Image.id.in_(batch))
        wanted.update(session.scalars(theirs.where(Image.original_id.is_not(None))))
    kept = {original for original, _ in users(session, wanted, going, beside)}
    return sorted(wanted - kept)


def users(
    session: Session, files: Iterable[int], but: set[int], beside: ColumnElement[bool]
) -> list[tuple[int, int]]:
    """Return (file, dataset) for each image, but these and `beside`, that was read from a file."""
    found: list[tuple[int, int]] = []
    for batch in homes.batches(sorted(files)):
        theirs = select(Image.original_id, Image.dataset_id, Image.id).where(
            Image.original_id.in_(batch), Image.purged_at.is_(None), not_(beside)
        )
        for file, dataset, user in session.execute(theirs.order_by(Image.id)):
            if file is not None and user not in but:
                found.append((file, dataset))
    return found


def refuse_original(row: Record) -> None:
    """Raise Conflict for the file that an image was read from: it goes where its image goes."""
    if row.kind == "original":
        raise Conflict(f"{row.name!r} is the original of an image: do this with the image")
