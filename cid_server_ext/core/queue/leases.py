"""Which conductor drives which run, until when. The database decides, by its own clock.

A lease is taken (`claims`), renewed and lost by conditional UPDATEs, so two conductors never drive
one run. Taking a run again gives it another token: the older attempt's rights end in the same
UPDATE.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Deposit, Run
from ...errors import Conflict
from ..runs import states
from . import lanes, wake
from .claims import Claim, Leased

ATTEMPTS = 3  # of a run that had begun, or whose cluster did not come
HANDED = "handed over"  # who drives what a conductor left running as it stopped
HANDED_SECONDS = 120.0  # for another conductor to take it over
UNBEGUN = 10  # of one that only waited where a worker or a conductor died
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Runs whose conductor went silent, and the cluster that it left behind."""

    cluster: str | None
    runs: tuple[int, ...]


def renew(
    session: Session, conductor: str, run_ids: Collection[int], seconds: float = SECONDS
) -> set[int]:
    """Hold on to the runs for `seconds` more and return those that are still the conductor's."""
    return set(
        session.scalars(
            update(Run)
            .where(Run.id.in_(run_ids), _held(conductor))
            .values(lease_until=clock.after(session, seconds))
            .returning(Run.id)
        )
    )


def attach(
    session: Session, conductor: str, cluster: str, token_hashes: Mapping[int, str]
) -> set[int]:
    """Say where the runs execute and which token is each one's own; return those still held."""
    one = (
        update(Run)
        .where(Run.id == bindparam("run"), _held(conductor))
        .values(cluster=cluster, token_hash=bindparam("hash"))
    )
    told = [{"run": run_id, "hash": said} for run_id, said in token_hashes.items()]
    if told:
        session.connection().execute(one, told)
    held = select(Run.id).where(_held(conductor), Run.cluster == cluster)
    return set(session.scalars(held)) & set(token_hashes)


def release(session: Session, conductor: str, run_ids: Collection[int]) -> None:
    """Give the runs back to the queue, because the conductor stops and not because they failed."""
    states.move_all(session, run_ids, "queued", by="conductor", only_if=_held(conductor))
    wake.call(session)


def hand_over(session: Session, conductor: str, run_ids: Collection[int]) -> None:
    """Leave the runs where they execute, for another conductor to `adopt` with their cluster."""
    session.execute(
        update(Run)
        .where(Run.id.in_(run_ids), _held(conductor))
        .values(lease_by=HANDED, lease_until=clock.after(session, HANDED_SECONDS))
    )


def left_behind(session: Session, dead: Collection[str] = ()) -> set[str]:
    """Return the clusters on which runs are that no conductor drives."""
    found = select(Run.cluster).where(_late(session, [*dead, HANDED]), Run.token_hash.is_not(None))
    return {name for name in session.scalars(found.distinct()) if name is not None}


def adopt(
    session: Session,
    conductor: str,
    cluster: str,
    dead: Collection[str] = (),
    seconds: float = SECONDS,
) -> Claim | None:
    """Take over the runs that were left behind on a cluster, with their tokens; None: another did.

    The claim names no lane: nothing more can be taken for this cluster, whose key is not known.
    """
    mine = _late(session, [*dead, HANDED]) & (Run.cluster == cluster) & Run.token_hash.is_not(None)
    taking = (
        update(Run)
        .where(mine)
        .values(lease_by=conductor, lease_until=clock.after(session, seconds))
        .returning(Run.id, Run.uid, Run.attempt, Run.batch, Run.person)
    )
    taken = sorted(session.execute(taking, execution_options={"synchronize_session": False}).all())
    if not taken:
        return None
    runs = tuple(Leased(run.id, run.uid, run.attempt) for run in taken)
    return Claim(taken[0].batch, taken[0].person, runs, {})


def take_back(session: Session, cluster: str) -> None:
    """Queue the runs that were handed over with a cluster that is gone; that is no strike."""
    handed = (Run.lease_by == HANDED) & (Run.cluster == cluster) & Run.state.in_(lanes.DRIVEN)
    runs = list(session.scalars(select(Run.id).where(handed)))
    states.move_all(session, runs, "queued", by="conductor", only_if=handed)
    wake.call(session)


def requeue(
    session: Session, conductor: str, run_id: int, error: dict[str, Any], *, own: bool = False
) -> None:
    """Try the run again after `error` struck its worker or cluster; in the end it failed.

    A run that had not said a word has no part in what struck, unless it is its `own`.
    """
    _again(session, run_id, error, only_if=_held(conductor), own=own)
    wake.call(session)


def fail(session: Session, conductor: str, run_id: int, error: dict[str, Any]) -> None:
    """End the run with `error`, unless it ended by itself or is another's by now."""
    _try_move(session, run_id, "failed", only_if=_held(conductor), error=error)


def cancel(session: Session, conductor: str, run_id: int, state: str) -> None:
    """End the run as cancelled if it is still in `state` and still the conductor's."""
    _try_move(session, run_id, "cancelled", only_if=_held(conductor) & (Run.state == state))


def abandoned(session: Session, dead: Collection[str] = ()) -> list[Abandoned]:
    """Put the runs whose lease has ended back into the queue, and return what they left behind.

    `dead` are conductors that are known to live no more: their leases have ended. A run that lost
    ATTEMPTS conductors or workers while it ran is failed, one that was to be cancelled is
    cancelled. Their tokens open nothing from here on.
    """
    late = _late(session, dead)
    asked = select(Run.id, Run.cluster, Run.lease_by).where(late).order_by(Run.id)
    rows = session.execute(asked.with_for_update(skip_locked=True)).all()
    left: dict[str | None, list[int]] = {}
    for run_id, cluster, holder in rows:
        if holder == HANDED:  # nobody came; that is no strike
            if states.move_all(session, [run_id], "queued", by="conductor", only_if=late):
                left.setdefault(cluster, []).append(run_id)
            continue
        reason = "the conductor that drove this run stopped answering"
        if _again(session, run_id, {"error": "Abandoned", "message": reason}, only_if=late):
            left.setdefault(cluster, []).append(run_id)
    return [Abandoned(cluster, tuple(runs)) for cluster, runs in left.items()]


def drivers(session: Session) -> set[str]:
    """Return the conductors that hold a lease."""
    names = session.scalars(select(Run.lease_by).where(Run.state.in_(lanes.DRIVEN)).distinct())
    return {name for name in names if name is not None}


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
    """Return the clusters that a run with a lease, or one whose results come in, still uses."""
    held = Run.state.in_(lanes.DRIVEN) & (Run.lease_until >= states.database_now(session))
    used = select(Run.cluster).where(Run.cluster.is_not(None), held | (Run.state == "committing"))
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


def _late(session: Session, dead: Collection[str]) -> ColumnElement[bool]:
    """Say of a run that nobody drives it, though somebody did."""
    expired = Run.lease_until < states.database_now(session)
    nobody = expired | Run.lease_until.is_(None) | Run.lease_by.in_(dead)
    return Run.state.in_(lanes.DRIVEN) & nobody


def _held(conductor: str) -> ColumnElement[bool]:
    return (Run.lease_by == conductor) & Run.state.in_(lanes.DRIVEN)


def _again(
    session: Session,
    run_id: int,
    error: dict[str, Any],
    *,
    only_if: ColumnElement[bool],
    own: bool = False,
) -> bool:
    """Queue, fail or cancel a run that lost its worker, whichever is due; False: not ours.

    `error.history` tells each time that it did, and whether the run had any part in it: `own`.
    """
    if _try_move(session, run_id, "cancelled", only_if=only_if & Run.cancel_asked):
        return True
    asked = select(Run.attempt, Run.strikes, Run.state).where(Run.id == run_id, only_if)
    was = session.execute(asked).first()
    if was is None:
        return False
    at = states.database_now(session).isoformat(timespec="seconds")
    own = own or was.state != "starting"
    strikes = [*was.strikes, {"attempt": was.attempt, "at": at, "own": own, **error}]
    told = {**error, "history": strikes}
    to = "queued"
    if sum(strike.get("own", True) for strike in strikes) >= ATTEMPTS or len(strikes) >= UNBEGUN:
        to, told["message"] = "failed", f"{error['message']}; it was tried {len(strikes)} times"
    same = only_if & (Run.attempt == was.attempt)
    return _try_move(session, run_id, to, only_if=same, error=told, strikes=strikes)


def _try_move(
    session: Session, run_id: int, to: str, *, only_if: ColumnElement[bool], **changes: Any
) -> bool:
    try:
        states.move(session, run_id, to, by="conductor", only_if=only_if, **changes)
    except Conflict:
        return False
    return True
