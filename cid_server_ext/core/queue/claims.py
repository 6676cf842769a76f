"""Taking runs off the queue: the next lane's first runs, then more of it while that is fair.

Claims are taken one after the other, so that limits and fair shares hold among conductors; each
takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select, text, update
from sqlalchemy.orm import Session

from ...db import capture, clock
from ...db.tables import Run
from .. import journal
from ..runs import readable, rights, states
from . import lanes
from .lanes import Lane, Queue

SECONDS = 60.0
WORKERS = 2  # where the template does not say
QUANTUM = 120.0  # core-seconds by which a team may be ahead before its lane yields
TURN = 0x63696471  # "cidq": PostgreSQL's advisory lock of those who claim


@dataclass(frozen=True, slots=True)
class Leased:
    """One run in a conductor's hands."""

    id: int
    uid: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Runs of one lane that a conductor has just taken; one cluster will execute them.

    `resources` are the template's for this kind of machine: cores, memory, gpus, wall_seconds,
    workers.
    """

    batch: str
    person: str
    runs: tuple[Leased, ...]
    resources: dict[str, Any]
    lane: str = ""
    workers: int = field(default=WORKERS)


def anything(session: Session) -> bool:
    """Say whether some lane may start now; it only reads."""
    return bool(lanes.look(session).startable())


def claim(
    session: Session,
    conductor: str,
    seconds: float = SECONDS,
    most: int | None = None,
    besides: Collection[str] = (),
) -> Claim | None:
    """Take the first runs of the lane whose turn it is; None when nothing may start.

    As many as its cluster can begin with, `most` at most. Those whose person may no longer submit
    there end as failed instead. `besides` are lanes that have a cluster, between two of their runs.
    """
    _take_turn(session)
    queue = lanes.look(session, keep=True)
    for lane in (one for one in queue.startable() if one.name not in besides):
        workers = _workers(lane)
        runs = _take(session, queue, lane, conductor, seconds, most or 2 * workers)
        if runs:
            resources = lane.resources if lane.gpu else {**lane.resources, "gpus": 0}
            return Claim(lane.batch, lane.person, runs, resources, lane.name, workers)
    return None


def offers(session: Session, lane: str, *, free: bool = False) -> bool:
    """Say whether `more` would find something; it only reads."""
    if session.scalar(_waiting(lane).limit(1)) is None:
        return False
    queue = lanes.look(session)
    mine = next((one for one in queue.waiting if one.name == lane), None)
    return mine is not None and queue.room(mine) != 0 and (free or not _yields(queue, mine))


def more(
    session: Session,
    conductor: str,
    lane: str,
    count: int,
    seconds: float = SECONDS,
    *,
    free: bool = False,
) -> tuple[Leased, ...]:
    """Take up to `count` more runs of a lane that is under way, while that is fair.

    Not when another lane should have the place, unless the conductor has one `free`.
    """
    _take_turn(session)
    queue = lanes.look(session, keep=True)
    mine = next((one for one in queue.waiting if one.name == lane), None)
    if mine is None or (not free and _yields(queue, mine)):
        return ()
    return _take(session, queue, mine, conductor, seconds, count)


def _workers(lane: Lane) -> int:
    return max(1, int(lane.resources.get("workers", WORKERS)))


def _yields(queue: Queue, mine: Lane) -> bool:
    """Say whether another lane should have the place: its team had less, or it is more urgent."""
    for other in queue.startable():
        if other.team_id == mine.team_id:
            if other.priority > mine.priority:
                return True
            continue
        share = queue.allowed[mine.team_id].share or 1.0
        if queue.scores[other.team_id] + QUANTUM / share < queue.scores[mine.team_id]:
            return True
    return False


def _take(
    session: Session,
    queue: Queue,
    lane: Lane,
    conductor: str,
    seconds: float,
    count: int,
) -> tuple[Leased, ...]:
    room = queue.room(lane)
    count = count if room is None else min(count, room)
    if count < 1:
        return ()
    waiting = _waiting(lane.name).limit(count).with_for_update(skip_locked=True)
    queued = session.scalars(waiting).all()
    refused = rights.refuse_ended(session, queued)
    refused |= readable.refuse_unreadable(session, set(queued) - refused)
    found = [run_id for run_id in queued if run_id not in refused]
    capture.touch(session, Run, found)
    until = clock.after(session, seconds)
    taken: list[Any] = []
    for some in states.batches(found):
        starting = (
            update(Run)
            .where(Run.id.in_(some), Run.state == "queued")
            .values(
                state="starting",
                attempt=Run.attempt + 1,
                lease_by=conductor,
                lease_until=until,
                error=None,
            )
            .returning(Run.id, Run.uid, Run.attempt, Run.person)
        )
        options = states.CAPTURED | {"synchronize_session": False}
        taken += session.execute(starting, execution_options=options).all()
    taken.sort(key=lambda run: run.id)
    for run in taken:
        detail = {"attempt": run.attempt, "conductor": conductor}
        journal.record(session, run.person, "run starting", f"run:{run.uid}", detail)
    return tuple(Leased(run.id, run.uid, run.attempt) for run in taken)


def _waiting(lane: str) -> Select[int]:
    waits = select(Run.id).where(lanes.due(Run), *lanes.of_lane(Run, lane))
    return waits.order_by(*lanes.in_order(Run))


def _take_turn(session: Session) -> None:
    """Wait until nobody else claims; on SQLite there is only one writer anyway."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": TURN})
