"""Which conductor drives which run, until when. The database decides, by its own clock.

A lease is taken, renewed and lost by conditional UPDATEs, so two conductors never drive one run.
Taking a run again gives it another token: the older attempt's rights end in the same UPDATE.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, select, update
from sqlalchemy.orm import Session

from ...db import capture
from ...db.tables import Deposit, Run, Template
from ...errors import Conflict
from .. import journal
from ..runs import rights, states

DRIVEN = ("starting", "running")
ATTEMPTS = 3
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Leased:
    """One run in a conductor's hands."""

    id: int
    uid: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Claim:
    """The runs of one batch that a conductor has just taken; one cluster will execute them."""

    batch: str
    person: str
    runs: tuple[Leased, ...]
    resources: dict[str, Any]  # the template's: cores, memory, wall_seconds, workers


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Runs whose conductor went silent, and the cluster that it left behind."""

    cluster: str | None
    runs: tuple[int, ...]


def claim(session: Session, conductor: str, seconds: float = SECONDS) -> Claim | None:
    """Take all queued runs of the oldest batch that has some; None when nothing waits.

    Those whose person may no longer submit there end as failed instead.
    """
    waiting = select(Run.id).where(Run.state == "queued").order_by(Run.id)
    batch = session.scalar(waiting.with_only_columns(Run.batch).limit(1))
    if batch is None:
        return None
    mine = waiting.where(Run.batch == batch).with_for_update(skip_locked=True)
    queued = session.scalars(mine).all()
    refused = rights.refuse_ended(session, queued)
    found = [run_id for run_id in queued if run_id not in refused]
    capture.touch(session, Run, found)
    taken = session.execute(
        update(Run)
        .where(Run.id.in_(found), Run.state == "queued")
        .values(
            state="starting",
            attempt=Run.attempt + 1,
            lease_by=conductor,
            lease_until=_until(session, seconds),
            error=None,
        )
        .returning(Run.id, Run.uid, Run.attempt, Run.person, Run.template_id),
        execution_options=states.CAPTURED,
    ).all()
    if not taken:
        return None  # another conductor was faster, or none of them may start
    for run in taken:
        detail = {"attempt": run.attempt, "conductor": conductor}
        journal.record(session, run.person, "run starting", f"run:{run.uid}", detail)
    first = taken[0]
    manifest = session.get_one(Template, first.template_id).manifest
    runs = tuple(sorted((Leased(r.id, r.uid, r.attempt) for r in taken), key=lambda run: run.id))
    return Claim(batch, first.person, runs, manifest.get("resources", {}))


def renew(
    session: Session, conductor: str, run_ids: Collection[int], seconds: float = SECONDS
) -> set[int]:
    """Hold on to the runs for `seconds` more and return those that are still the conductor's."""
    return set(
        session.scalars(
            update(Run)
            .where(Run.id.in_(run_ids), _held(conductor))
            .values(lease_until=_until(session, seconds))
            .returning(Run.id)
        )
    )


def attach(session: Session, conductor: str, run_id: int, cluster: str, token_hash: str) -> None:
    """Say where the run executes and which token is its own, or raise Conflict: lease lost."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Run)
        .where(Run.id == run_id, _held(conductor))
        .values(cluster=cluster, token_hash=token_hash)
    )
    if done.rowcount == 0:
        raise Conflict(f"run {run_id} is no longer leased to {conductor}")


def release(session: Session, conductor: str, run_ids: Iterable[int]) -> None:
    """Give the runs back to the queue, because the conductor stops and not because they failed."""
    for run_id in run_ids:
        _try_move(session, run_id, "queued", only_if=_held(conductor))


def requeue(session: Session, conductor: str, run_id: int, error: dict[str, Any]) -> None:
    """Try the run again after `error` struck its worker or cluster; after ATTEMPTS it failed."""
    _again(session, run_id, error, only_if=_held(conductor))


def fail(session: Session, conductor: str, run_id: int, error: dict[str, Any]) -> None:
    """End the run with `error`, unless it ended by itself or is another's by now."""
    _try_move(session, run_id, "failed", only_if=_held(conductor), error=error)


def cancel(session: Session, conductor: str, run_id: int, state: str) -> None:
    """End the run as cancelled if it is still in `state` and still the conductor's."""
    _try_move(session, run_id, "cancelled", only_if=_held(conductor) & (Run.state == state))


def abandoned(session: Session) -> list[Abandoned]:
    """Put the runs whose lease has ended back into the queue, and return what they left behind.

    A run that lost ATTEMPTS conductors or workers is failed, one that was to be cancelled is
    cancelled. Their tokens open nothing from here on.
    """
    expired = Run.lease_until < states.database_now(session)
    late = Run.state.in_(DRIVEN) & (expired | Run.lease_until.is_(None))
    rows = session.execute(
        select(Run.id, Run.cluster).where(late).order_by(Run.id).with_for_update(skip_locked=True)
    ).all()
    left: dict[str | None, list[int]] = {}
    for run_id, cluster in rows:
        reason = "the conductor that drove this run stopped answering"
        if _again(session, run_id, {"error": "Abandoned", "message": reason}, only_if=late):
            left.setdefault(cluster, []).append(run_id)
    return [Abandoned(cluster, tuple(runs)) for cluster, runs in left.items()]


def wanted_cancelled(session: Session, conductor: str) -> dict[int, str]:
    """Return the conductor's runs that somebody asked to cancel, with their state."""
    asked = select(Run.id, Run.state).where(_held(conductor), Run.cancel_asked)
    return {row.id: row.state for row in session.execute(asked)}


def ended(session: Session, run_ids: Collection[int]) -> set[int]:
    """Return those of the runs that have come to their end."""
    return set(
        session.scalars(select(Run.id).where(Run.id.in_(run_ids), Run.state.in_(states.ENDED)))
    )


def live_clusters(session: Session) -> set[str]:
    """Return the clusters that a run with a lease still uses."""
    used = select(Run.cluster).where(
        Run.cluster.is_not(None),
        Run.state.in_(DRIVEN),
        Run.lease_until >= states.database_now(session),
    )
    return {name for name in session.scalars(used) if name is not None}


def fail_uncommitted(session: Session) -> list[int]:
    """End the runs whose commit nobody will finish: their deposit is gone, as after a rebuild."""
    importing = select(Deposit.id).where(Deposit.run_id == Run.id, Deposit.state == "importing")
    alone = (Run.state == "committing") & ~importing.exists()
    message = "what it was committing is gone; its inputs are there: run it again"
    error = {"error": "Abandoned", "message": message}
    found = session.scalars(select(Run.id).where(alone).order_by(Run.id)).all()
    return [
        run_id
        for run_id in found
        if _try_move(session, run_id, "failed", only_if=alone, error=error)
    ]


def _held(conductor: str) -> ColumnElement[bool]:
    return (Run.lease_by == conductor) & Run.state.in_(DRIVEN)


def _until(session: Session, seconds: float) -> dt.datetime:
    return states.database_now(session) + dt.timedelta(seconds=seconds)


def _again(
    session: Session, run_id: int, error: dict[str, Any], *, only_if: ColumnElement[bool]
) -> bool:
    """Queue, fail or cancel a run that lost its worker, whichever is due; False: not ours."""
    if _try_move(session, run_id, "cancelled", only_if=only_if & Run.cancel_asked):
        return True
    if _try_move(
        session, run_id, "queued", only_if=only_if & (Run.attempt < ATTEMPTS), error=error
    ):
        return True
    tried = {**error, "message": f"{error['message']}; it was tried {ATTEMPTS} times"}
    return _try_move(session, run_id, "failed", only_if=only_if, error=tried)


def _try_move(
    session: Session, run_id: int, to: str, *, only_if: ColumnElement[bool], **changes: Any
) -> bool:
    try:
        states.move(session, run_id, to, by="conductor", only_if=only_if, **changes)
    except Conflict:
        return False
    return True
