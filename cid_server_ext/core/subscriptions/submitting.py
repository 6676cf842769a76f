"""What waits becomes runs: as many in one step as budget and room allow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session

from ...db import capture, clock
from ...db.tables import Image, Subscription, SubscriptionMatch
from ...errors import BadInput, OverQuota
from ..actor import Actor
from ..estimate import gpu
from ..estimate.room import output_bytes
from ..queue.turns import Turn
from ..runs import submit as runs
from ..templates import contract
from ..templates import manifest as manifests
from . import beside, budget
from .budget import CAPTURED, Stopped
from .telling import say

Match = SubscriptionMatch


def submit(
    session: Session, row: Subscription, fitting: Sequence[int]
) -> tuple[int, Stopped | None]:
    """Submit what waits and fits, or leave it out; say how many runs that is, what stopped it."""
    manifest = manifests.read(row.template.manifest)
    order = runs.Order(
        row.template,
        manifest,
        row.parameters,
        told={"subscription": row.uid},
        also=beside.chosen(session, row),
        turn=Turn(row.priority),
    )
    images = session.scalars(select(Image).where(Image.id.in_(fitting)).order_by(Image.id)).all()
    known = runs.tagged(session, manifest, fitting)
    taken: list[Image] = []
    for image in images:
        try:
            contract.require(manifest, image, row.parameters, known.get(image.id, ()))
        except BadInput as error:
            _leave_out(session, row, image, str(error))
        else:
            taken.append(image)
    return _run(session, row, order, taken, clock.now(session).date())


def _run(
    session: Session, row: Subscription, order: runs.Order, images: Sequence[Image], day: dt.date
) -> tuple[int, Stopped | None]:
    """Run all of them; where that is too much, the first half and then the rest."""
    stopped = _all(session, row, order, images, day) if images else None
    if stopped is None or len(images) == 1:
        return (0 if stopped else len(images)), stopped
    half = len(images) // 2
    done, stopped = _run(session, row, order, images[:half], day)
    if stopped is not None:
        return done, stopped
    more, stopped = _run(session, row, order, images[half:], day)
    return done + more, stopped


def _all(
    session: Session, row: Subscription, order: runs.Order, images: Sequence[Image], day: dt.date
) -> Stopped | None:
    """Run all of them, or none and say why: the budget is charged with the room, or neither is."""
    sizes = [output_bytes(order.manifest, image) for image in images]
    try:
        with session.begin_nested():
            if not budget.charge(session, row, len(images), sum(sizes), day):
                return budget.reached(row, sizes[0], day) or Stopped("budget", "", sizes[0])
            _project = row.project  # kept at hand: each run would ask for it
            ordered = [(order, image) for image in images]
            queued = runs.queue_all(session, Actor(row.person), ordered)
            made = dict(zip((image.id for image in images), queued, strict=True))
            _are_run(session, row, {image: run.id for image, run in made.items()})
    except OverQuota as error:
        session.refresh(row)
        if said := gpu.lacking(session, row.template, images):
            return Stopped("gpu", f"{said[0]}: it goes on next month, or ask staff for more")
        return Stopped("allocation", str(error), sizes[0])
    return None


def _are_run(session: Session, row: Subscription, made: dict[int, int]) -> None:
    """Note at what waited which run it became."""
    capture.touch(session, Match, [(row.id, record) for record in made])
    one = update(Match).where(_waits(row), Match.record_id == bindparam("record"))
    session.connection().execute(
        one.values(state="run", run_id=bindparam("run")),
        [{"record": record, "run": run} for record, run in made.items()],
    )


def _leave_out(session: Session, row: Subscription, image: Image, reason: str) -> None:
    """Run nothing on what waited, and say why."""
    capture.touch(session, Match, [(row.id, image.id)])
    one = update(Match).where(_waits(row), Match.record_id == image.id)
    session.execute(one.values(state="left", reason=reason), execution_options=CAPTURED)
    say(session, row, "leave out", row.person, {"image": image.uid, "reason": reason})


def _waits(row: Subscription) -> ColumnElement[bool]:
    return (Match.subscription_id == row.id) & (Match.state == "waiting")
