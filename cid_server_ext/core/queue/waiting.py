"""Why a run has not begun, in words for the one who waits."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Run
from . import lanes


def why(session: Session, runs: Sequence[Run]) -> dict[int, str]:
    """Return by run what those wait for that have not begun; one look at the queue for all."""
    found = {run.id: "waits for a worker of its cluster" for run in runs if run.state == "starting"}
    queued = [run for run in runs if run.state == "queued"]
    if not queued:
        return found
    now, queue = clock.now(session), lanes.look(session)
    places = {lane.name: place for place, lane in enumerate(queue.startable(), 1)}
    for run in queued:
        if run.paused:
            found[run.id] = "paused: resume it to let it go on"
        elif run.not_before is not None and run.not_before > now:
            found[run.id] = f"waits until {run.not_before:%Y-%m-%d %H:%M} UTC"
        elif run.lane in queue.blocked:
            found[run.id] = f"waits: {queue.blocked[run.lane]}"
        elif run.lane in places:
            found[run.id] = f"place {places[run.lane]} in the queue"
        if run.template.withdrawn_at is not None and run.id in found:
            name = f"{run.template.reference} {run.template.version}"
            found[run.id] += f"; {name} was withdrawn meanwhile: cancel this if it should not go on"
    return found


def of_batch(session: Session, batch: str) -> str | None:
    """Return what the batch's first run that waits is waiting for; None: none of them waits."""
    waits = select(Run).where(Run.batch == batch, Run.state == "queued")
    first = session.scalars(waits.order_by(Run.paused, Run.id).limit(1)).one_or_none()
    return None if first is None else why(session, [first]).get(first.id)
