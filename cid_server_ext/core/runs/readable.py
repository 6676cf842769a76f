"""A queued run starts only while what it reads is there, in a project where things run."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from ...db.tables import Image, Project, Reference, Run, RunInput
from . import states

ERROR = "InputGone"
SHUT = "ProjectNotActive"


def refuse_unreadable(session: Session, run_ids: Collection[int]) -> set[int]:
    """Fail the queued runs that could only fail later, each with what to do; return which.

    What was in order when they were submitted may have been archived, thrown away, purged, put
    into another project or changed in its place while they waited.
    """
    told = _of_projects(session, run_ids) | _of_inputs(session, run_ids)
    for run_id, error in sorted(told.items()):
        queued = Run.state == "queued"
        states.move(session, run_id, "failed", by="conductor", only_if=queued, error=error)
    return set(told)


def _of_projects(session: Session, run_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    asked = select(Run.id, Project.name, Project.state).join(Run.project)
    shut = asked.where(Run.id.in_(run_ids), Project.state != "active")
    return {
        row.id: _error(SHUT, f"project {row.name!r} is {row.state}: nothing runs in it")
        for row in session.execute(shut)
    }


def _of_inputs(session: Session, run_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    gone: ColumnElement[bool] = or_(
        Image.purged_at.is_not(None),
        Image.trash_id.is_not(None),
        Image.tier != "online",
        Reference.state != "ok",
        (RunInput.position == 0) & (Image.project_id != Run.project_id),
    )
    asked = (
        select(
            RunInput.run_id,
            Image.name,
            Image.tier,
            Image.trash_id,
            Image.purged_at,
            Reference.state.label("place"),
        )
        .join(Run, Run.id == RunInput.run_id)
        .join(Image, Image.id == RunInput.image_id)
        .outerjoin(
            Reference, and_(Reference.record_id == Image.original_id, Image.inside.is_not(None))
        )
        .where(RunInput.run_id.in_(run_ids), gone)
        .order_by(RunInput.run_id, RunInput.position.desc())
    )
    return {row.run_id: _error(ERROR, _said(row)) for row in session.execute(asked)}


def _said(row: Any) -> str:
    """Say what became of an input while the run waited, and what to do."""
    if row.purged_at is not None:
        return f"input {row.name!r} was purged while this waited: run it on another image"
    if row.trash_id is not None:
        return f"input {row.name!r} is in the trash: restore it, then run this again"
    if row.tier != "online":
        return f"input {row.name!r} is archived: ask for it back first, then run this again"
    if row.place not in (None, "ok"):
        return f"input {row.name!r} is {row.place} in its place: tell staff: `jupyter cid fixity`"
    return f"input {row.name!r} was put into another project while this waited: run it there"


def _error(name: str, message: str) -> dict[str, Any]:
    return {"error": name, "message": message}
