"""How many bytes a project holds and has promised: every move is one conditional UPDATE.

reserve -> settle | release. Past the limit everything is refused; past the soft limit it is done,
and whoever did it is warned. What is purged or moved away is settled with a negative use.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from ...db.tables import Allocation, Project
from ...errors import BadInput, OverQuota
from .. import journal, policy
from ..actor import Actor
from ..notices import full

LARGEST = 2**60  # bytes


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
    if used > 0:
        full.told(session, project_id, used)


def state(allocation: Allocation) -> str:
    """Return ok, warning (what is held and promised passes the soft limit) or full."""
    held = allocation.used + allocation.reserved
    if held >= allocation.limit:
        return "full"
    return "warning" if allocation.soft is not None and held > allocation.soft else "ok"


def warning(session: Session, project_id: int) -> str | None:
    """Return what to tell somebody who deposits in a project that is nearly full, or None."""
    allocation = session.get_one(Allocation, project_id, populate_existing=True)
    if state(allocation) == "ok":
        return None
    free = human(room(allocation))
    name = session.get_one(Project, project_id).name
    return f"project {name!r} has {free} left of {human(allocation.limit)}: ask staff in time"


def room(allocation: Allocation) -> int:
    """Return the bytes that are neither held nor promised."""
    return max(allocation.limit - allocation.used - allocation.reserved, 0)


def set_limits(
    session: Session, actor: Actor, name: str, limit: int, soft: int | None = None
) -> Allocation:
    """Change how many bytes a project may hold, and from where on it is warned. Staff may.

    Less than it holds stops new deposits only. Without `soft` there is no soft limit.
    """
    policy.require_staff(actor)
    project = policy.find(session, actor, Project, name)
    if not 0 <= limit < LARGEST:
        raise BadInput(f"limit: from 0 to {LARGEST - 1} bytes")
    if soft is not None and not 0 <= soft <= limit:
        raise BadInput("soft: from 0 to the limit")
    allocation = project.allocation
    allocation.limit, allocation.soft = limit, soft
    told = {"limit": limit, "soft": soft}
    subject = f"project:{project.name}"
    journal.record(session, actor.name, "set limit", subject, told, project_id=project.id)
    return allocation


def _no_room(session: Session, project_id: int, nbytes: int) -> str:
    allocation = session.get_one(Allocation, project_id, populate_existing=True)
    project = session.get_one(Project, project_id)
    return (
        f"project {project.name!r} has {human(room(allocation))} free of "
        f"{human(allocation.limit)}, this needs {human(nbytes)}: "
        "delete what is not needed or ask staff for a larger allocation"
    )


def human(nbytes: int) -> str:
    """Return a size as people say it, in decimal units."""
    size = float(nbytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError
