"""The states of a run and the only function that changes them.

queued -> starting -> running -> committing -> done | failed;  every one before the end -> cancelled
queued -> failed: its person may no longer submit there (`rights`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, select, true, update
from sqlalchemy.orm import Session

from ...db import capture, clock
from ...db.tables import Deposit, Run
from ...errors import Conflict, NotFound
from .. import journal
from ..ledger import allocations, lines

NEXT = {
    "queued": {"starting", "failed", "cancelled"},
    "starting": {"running", "queued", "failed", "cancelled"},
    "running": {"committing", "queued", "failed", "cancelled"},
    "committing": {"done", "failed", "cancelled"},
}
CAPTURED = {"captured": True}  # the row was touched before
ENDED = frozenset({"done", "failed", "cancelled"})

_NO_LEASE = {"lease_by": None, "lease_until": None, "token_hash": None}


def move(
    session: Session,
    run_id: int,
    to: str,
    *,
    by: str | None = None,
    only_if: ColumnElement[bool] | None = None,
    **changes: Any,
) -> None:
    """Change a run's state by one conditional UPDATE, or raise Conflict and change nothing.

    `by` is who did it (default: the run's person), `only_if` a further condition on the row and
    `changes` more columns to set. The start and the end are stamped with the database's time. A
    run that goes back to the queue or ends loses its lease, its token and, at the end, what was
    reserved for it.
    """
    capture.touch(session, Run, [run_id])
    moved = session.execute(
        update(Run)
        .where(Run.id == run_id, Run.state.in_(_before(to)))
        .where(true() if only_if is None else only_if)
        .values({"state": to, **_stamps(session, to), **changes})
        .returning(Run.uid, Run.person, Run.attempt, Run.project_id, Run.reserved),
        execution_options=CAPTURED,
    ).one_or_none()
    if moved is None:
        raise _refusal(session, run_id, to)
    if to in ENDED:
        _give_back_room(session, run_id, moved.project_id, moved.reserved)
        lines.end_of_run(session, run_id)
    detail = {"attempt": moved.attempt} | {k: changes[k] for k in ("error",) if changes.get(k)}
    about = f"run:{moved.uid}"
    journal.record(
        session, by or moved.person, f"run {to}", about, detail, project_id=moved.project_id
    )


def database_now(session: Session) -> dt.datetime:
    """Return the database's clock, the only one that leases and stamps are read from."""
    return clock.now(session)


def _before(to: str) -> list[str]:
    return [state for state, following in NEXT.items() if to in following]


def _stamps(session: Session, to: str) -> dict[str, Any]:
    if to == "running":
        return {"started_at": database_now(session)}
    if to in ENDED:
        return {"ended_at": database_now(session), **_NO_LEASE}
    if to == "queued":
        return {"started_at": None, "cluster": None, "progress": {}, **_NO_LEASE}
    return {}


def _give_back_room(session: Session, run_id: int, project_id: int, reserved: int) -> None:
    """Release the run's reservation; a deposit it left open expires now and is swept."""
    if reserved:
        allocations.release(session, project_id, reserved)
        emptied = update(Run).where(Run.id == run_id).values(reserved=0)
        session.execute(emptied, execution_options=CAPTURED)
    left_open = (Deposit.run_id == run_id) & (Deposit.state == "open")
    session.execute(update(Deposit).where(left_open).values(expires_at=database_now(session)))


def _refusal(session: Session, run_id: int, to: str) -> Conflict | NotFound:
    row = session.execute(select(Run.uid, Run.state).where(Run.id == run_id)).one_or_none()
    if row is None:
        return NotFound(f"no run {run_id}")
    return Conflict(f"run {row.uid} is {row.state}, it cannot become {to} now; reload")
