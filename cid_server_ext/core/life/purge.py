"""The end: rows are emptied first, bytes are removed after; a sweep finishes what a kill left.

A purged record keeps its name, digest and place in provenance and points to no bytes. In the same
transaction each prefix gets a grave; its bytes are removed, then the grave is forgotten.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from ...db import capture, clock
from ...db.session import Sessions, reading
from ...db.tables import (
    Base,
    Dataset,
    Document,
    Grave,
    Image,
    Link,
    Note,
    Record,
    Reference,
    Tag,
    Trash,
)
from ...errors import CidError
from .. import duties, journal, policy
from ..actor import Actor
from ..catalog import homes
from ..catalog.homes import CAPTURED, batches
from ..ledger import allocations
from ..search import index
from . import awaited
from . import trash as trashes

log = logging.getLogger(__name__)

SYSTEM = "cid"  # who purges when the grace time is over
DUTY = "purge"
SECONDS = 600.0  # that one process has the duty for; what is done twice is right too


def now(session: Session, actor: Actor, uid: str) -> Trash:
    """Purge before the grace time is over. Managers may; nothing brings it back."""
    trash = policy.require(session, actor, "manager", Trash, uid)
    purge(session, actor.name, trash)
    return trash


def purge(session: Session, person: str, trash: Trash) -> None:
    """Empty the rows of what was thrown away, give its room back and dig its graves."""
    trashes.end(session, trash, "purged")
    _leave_to_others(session, trash)
    chosen = select(Record.id, Record.prefix, Record.nbytes, Record.project_id)
    mine = chosen.where(Record.trash_id == trash.id).order_by(Record.id)
    held = session.execute(mine.with_for_update()).all()
    ids = [row.id for row in held]
    awaited.refuse(session, ids)
    folders = session.scalars(select(Dataset.id).where(Dataset.trash_id == trash.id)).all()
    nbytes = sum(row.nbytes for row in held)
    detail = {"trash": trash.uid, "what": trash.what, "records": len(ids), "bytes": nbytes}
    about = f"project:{trash.project.name}"
    journal.record(session, person, "purge", about, detail, project_id=trash.project_id)
    for batch in batches(ids):
        _remove(session, Tag, Tag.id, Tag.record_id, batch)
        _remove(session, Link, (Link.dataset_id, Link.record_id), Link.record_id, batch)
        _remove(session, Note, Note.id, Note.record_id, batch)
        # what lies in place is let go of, and stays there
        _remove(session, Reference, Reference.record_id, Reference.record_id, batch)
        capture.touch(session, Record, batch)
        emptied = update(Record).where(Record.id.in_(batch))
        emptied = emptied.values(prefix="", purged_at=clock.now(session))
        session.execute(emptied, execution_options=CAPTURED)
    shown = homes.shown_in(session, folders)
    for batch in batches(folders):
        _remove(session, Link, (Link.dataset_id, Link.record_id), Link.dataset_id, batch)
        _remove(session, Note, Note.id, Note.dataset_id, batch)
    for project_id, freed in sorted(_by_home(held).items()):
        allocations.settle(session, project_id, reserved=0, used=-freed)
    session.add_all(Grave(prefix=prefix) for prefix in sorted({r.prefix for r in held} - {""}))
    session.expire_all()
    index.refresh(session, shown.union(ids))
    for batch in batches(ids):
        session.execute(delete(Document).where(Document.record_id.in_(batch)))


def sweep(sessions: Sessions, remove: Callable[[str], None], holder: str) -> None:
    """Purge what has lain its time and remove the bytes of all graves; one process at a time."""
    with reading(sessions) as session:
        if not _due(session) and session.scalar(select(Grave.prefix).limit(1)) is None:
            return
    with sessions.begin() as session:
        if not duties.take(session, DUTY, holder, SECONDS):
            return
    try:
        with reading(sessions) as session:
            due = _due(session)
        for uid in due:
            _purge_due(sessions, uid)
        bury(sessions, remove)
    finally:
        with sessions.begin() as session:
            duties.drop(session, DUTY, holder)


def bury(sessions: Sessions, remove: Callable[[str], None]) -> None:
    """Remove the bytes of every grave, then forget it; a kill in between is done again."""
    with reading(sessions) as session:
        prefixes = session.scalars(select(Grave.prefix).order_by(Grave.prefix)).all()
    for prefix in prefixes:
        if not _ours(prefix):
            log.error("grave %s is no folder of records: left as it is", prefix)
            continue
        remove(prefix)
        with sessions.begin() as session:
            session.execute(delete(Grave).where(Grave.prefix == prefix))


def _due(session: Session) -> Sequence[str]:
    if not clock.trusted(session):
        return []
    over = select(Trash.uid).where(Trash.state == "kept", Trash.purge_at <= clock.now(session))
    return session.scalars(over.order_by(Trash.id)).all()


def _purge_due(sessions: Sessions, uid: str) -> None:
    try:
        with sessions.begin() as session:
            purge(session, SYSTEM, session.scalars(select(Trash).where(Trash.uid == uid)).one())
    except CidError as error:  # restored meanwhile, or a run reads it: looked at again next time
        log.warning("trash %s: %s", uid, error)
    except IntegrityError:  # what is wrong with this one holds no other up
        log.exception("trash %s cannot be purged", uid)


def _leave_to_others(session: Session, trash: Trash) -> None:
    """Files that images of other steps were read from go to these steps' trash, or back."""
    file = select(Record.id).where(Record.trash_id == trash.id, Record.kind == "original")
    users = select(Image.original_id, Image.trash_id).where(
        Image.original_id.in_(file),
        Image.purged_at.is_(None),
        Image.trash_id.is_distinct_from(trash.id),
    )
    for original_id, trash_id in session.execute(users.order_by(Image.id)).all():
        session.get_one(Record, original_id).trash_id = trash_id
    session.flush()


def _by_home(held: Sequence[Any]) -> Counter[int]:
    """Return the bytes by the project that is charged for them."""
    freed: Counter[int] = Counter()
    for row in held:
        freed[row.project_id] += row.nbytes
    return freed


def _remove(
    session: Session,
    table: type[Base],
    key: Any,
    column: InstrumentedAttribute[Any],
    ids: Iterable[int],
) -> None:
    keys = key if isinstance(key, tuple) else (key,)
    found = [tuple(row) for row in session.execute(select(*keys).where(column.in_(ids)))]
    capture.touch(session, table, found)
    session.execute(delete(table).where(column.in_(ids)), execution_options=CAPTURED)


def _ours(prefix: str) -> bool:
    parts = prefix.split("/")
    return parts[0] in ("images", "files") and len(parts) == 3 and all(parts)
