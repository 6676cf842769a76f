"""What was done in a project, newest first: the journal as its members read it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Text, cast, or_, select
from sqlalchemy.orm import Session, aliased, defer

from ...db import clock
from ...db.tables import Journal, Mention, Project, Record
from ...errors import BadInput
from .. import policy
from ..actor import Actor
from ..people import staff_reads
from . import undo

PAGE = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One entry; `undone_by` is the entry that took it back."""

    entry: Journal
    project: str | None
    undoable: bool
    undone_by: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part: of a project, about one thing ("image:<uid>"), older than `after`.

    About an image, a file or a record: also what was done to it and to others in one step.
    """

    project: str | None = None
    about: str | None = None
    after: int | None = None
    limit: int = 50


def read(session: Session, actor: Actor, asked: Asked) -> tuple[list[Step], int | None]:
    """Return a page and where the next one starts. Raises NotFound for a project hidden or absent.

    Members see what was done in their projects, staff also what belongs to none.
    """
    if not 1 <= asked.limit <= PAGE:
        raise BadInput(f"limit: 1 to {PAGE}; follow `next` for more")
    later = aliased(Journal)
    changed = cast(Journal.rows, Text) != "[]"
    chosen = (
        select(Journal, Project.name, later.id, changed)
        .options(defer(Journal.rows))
        .outerjoin(Project, Project.id == Journal.project_id)
        .outerjoin(later, later.undoes == Journal.id)
        .where(policy.reachable(actor, "viewer", Journal))
    )
    if asked.project is not None:
        row = policy.find(session, actor, Project, asked.project)
        chosen = chosen.where(Journal.project_id == row.id)
    if asked.about is not None:
        chosen = chosen.where(_about(session, asked.about))
    if asked.after is not None:
        chosen = chosen.where(Journal.id < asked.after)
    newest = chosen.order_by(Journal.id.desc()).limit(asked.limit + 1)
    found = session.execute(newest).all()
    numbers = sorted({n for row in found if (n := row[0].project_id) is not None})
    staff_reads.shown(session, numbers)
    roles = policy.roles_in(session, actor, numbers)
    moment = clock.now(session)
    steps = []
    for entry, project, undone, has_rows in found:
        open_ = has_rows and undone is None and undo.undoable(entry, moment)
        mine = undo.may(actor, entry, roles)
        steps.append(Step(entry, project, bool(open_ and mine), undone))
    more = len(steps) > asked.limit
    steps = steps[: asked.limit]
    return steps, steps[-1].entry.id if more else None


def _about(session: Session, subject: str) -> ColumnElement[bool]:
    kind, _, uid = subject.partition(":")
    if kind not in ("image", "file", "record"):
        return Journal.subject == subject
    record = session.scalar(select(Record.id).where(Record.uid == uid))
    beside = select(Mention.entry).where(Mention.record_id == record)
    alone = [f"{kind}:{uid}" for kind in ("image", "file", "record")]
    return or_(Journal.subject.in_(alone), Journal.id.in_(beside))
