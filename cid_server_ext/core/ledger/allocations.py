"""How many bytes a project holds and has promised: every move is one conditional UPDATE."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from ...db.tables import Allocation, Project
from ...errors import OverQuota


def reserve(session: Session, project_id: int, nbytes: int) -> None:
    """Promise `nbytes` to something on its way in, or raise OverQuota and change nothing."""
    fits = Allocation.used + Allocation.reserved + nbytes <= Allocation.limit
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Allocation)
        .where(Allocation.project_id == project_id, fits)
        .values(reserved=Allocation.reserved + nbytes)
    )
    if done.rowcount == 0:
        raise OverQuota(_no_room(session, project_id, nbytes))


def release(session: Session, project_id: int, nbytes: int) -> None:
    """Take back a promise."""
    session.execute(
        update(Allocation)
        .where(Allocation.project_id == project_id)
        .values(reserved=Allocation.reserved - nbytes)
    )


def settle(session: Session, project_id: int, *, reserved: int, used: int) -> None:
    """Turn a promise of `reserved` bytes into `used` bytes; more than promised must still fit."""
    fits = Allocation.used + Allocation.reserved - reserved + used <= Allocation.limit
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Allocation)
        .where(Allocation.project_id == project_id, fits | (used <= reserved))
        .values(reserved=Allocation.reserved - reserved, used=Allocation.used + used)
    )
    if done.rowcount == 0:
        raise OverQuota(_no_room(session, project_id, used))


def _no_room(session: Session, project_id: int, nbytes: int) -> str:
    allocation = session.get_one(Allocation, project_id, populate_existing=True)
    project = session.get_one(Project, project_id)
    free = max(allocation.limit - allocation.used - allocation.reserved, 0)
    return (
        f"project {project.name!r} has {human(free)} free of {human(allocation.limit)}, this needs "
        f"{human(nbytes)}: delete what is not needed or ask staff for a larger allocation"
    )


def human(nbytes: int) -> str:
    """Return a size as people say it, in decimal units."""
    size = float(nbytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError
