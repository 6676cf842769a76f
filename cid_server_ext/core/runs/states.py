"""The states of a run and the only function that changes them.

queued -> starting -> running -> committing -> done | failed;  every one before the end -> cancelled
queued -> failed: its person may no longer submit there (`rights`). failed -> queued: somebody
retries it (`queue.steering`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, true, update
from sqlalchemy.orm import Session

from ...db import capture, clock
from ...db.tables import Deposit, Run
from ...errors import Conflict, NotFound
from .. import journal
from ..ledger import allocations, lines
from ..notices import ends
from ..queue import shares

NEXT = {
    "queued": {"starting", "failed", "cancelled"},
    "starting": {"running", "queued", "failed", "cancelled"},
    "running": {"committing", "queued", "failed", "cancelled"},
    "committing": {"done", "failed", "cancelled"},
    "failed": {"queued"},
}
BATCH = 400  # runs that one statement names
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
    if not move_all(session, [run_id], to, by=by, only_if=only_if, **changes):
        raise _refusal(session, run_id, to)


def move_all(
    session: Session,
    run_ids: Collection[int],
    to: str,
    *,
    by: str | None = None,
    only_if: ColumnElement[bool] | None = None,
    **changes: Any,
) -> list[int]:
    """Do as `move` with many at once, and return those that could be moved."""
    values = {"state": to, **_stamps(session, to), **changes}
    capture.touch(session, Run, run_ids)
    begun = shares.begun(session, run_ids) if to in ENDED or to == "queued" else []
    moved: list[Any] = []
    for some in batches(run_ids):
        changing = (
            update(Run)
            .where(Run.id.in_(some), Run.state.in_(_before(to)))
            .where(true() if only_if is None else only_if)
            .values(values)
            .returning(
                Run.id,
                Run.uid,
                Run.person,
                Run.attempt,
                Run.project_id,
                Run.reserved,
                Run.batch,
            )
        )
        moved += session.execute(changing, execution_options=CAPTURED).all()
    found = sorted(row.id for row in moved)
    shares.spend(session, [row for row in begun if row.id in set(found)])
    if to in ENDED and moved:
        _give_back_room(session, moved)
        lines.end_of_runs(session, found)
        ends.told(session, {row.batch for row in moved}, ENDED)
    for row in sorted(moved, key=lambda row: row.id):
        detail = {"attempt": row.attempt} | {k: changes[k] for k in ("error",) if changes.get(k)}
        journal.record(
            session,
            by or row.person,
            f"run {to}",
            f"run:{row.uid}",
            detail,
            project_id=row.project_id,
        )
    return found


def batches(run_ids: Iterable[int]) -> Iterator[list[int]]:
    """Yield so many at a time as one statement takes."""
    listed = list(run_ids)
    return (listed[at : at + BATCH] for at in range(0, len(listed), BATCH))


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
        begun = {"started_at": None, "ended_at": None, "cluster": None}
        return {**begun, "progress": {}, **_NO_LEASE}
    return {}


def _give_back_room(session: Session, moved: Sequence[Any]) -> None:
    """Release what was reserved; a deposit that was left open expires now and is swept."""
    promised: dict[int, int] = {}
    for row in moved:
        promised[row.project_id] = promised.get(row.project_id, 0) + row.reserved
    for project_id, reserved in sorted(promised.items()):
        if reserved:
            allocations.release(session, project_id, reserved)
    now = database_now(session)
    for some in batches([row.id for row in moved]):
        emptied = update(Run).where(Run.id.in_(some), Run.reserved != 0).values(reserved=0)
        session.execute(emptied, execution_options=CAPTURED)
        left_open = Deposit.run_id.in_(some) & (Deposit.state == "open")
        session.execute(update(Deposit).where(left_open).values(expires_at=now))


def _refusal(session: Session, run_id: int, to: str) -> Conflict | NotFound:
    row = session.execute(select(Run.uid, Run.state).where(Run.id == run_id)).one_or_none()
    if row is None:
        return NotFound(f"no run {run_id}")
    return Conflict(f"run {row.uid} is {row.state}, it cannot become {to} now; reload")
