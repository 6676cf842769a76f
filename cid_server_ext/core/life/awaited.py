"""Runs that read what is thrown away: they hold it, or, where they only wait, end for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ...db.tables import Record, Run, RunInput
from ...errors import Conflict, NotAllowed
from .. import policy
from ..actor import Actor
from ..catalog.homes import batches
from ..runs import readable, states

WAIT = frozenset({"queued", "starting"})  # nothing of them is computed yet
FORCE = "; with force it is thrown away, and what waits fails"


def refuse(session: Session, ids: Iterable[int], *, force: bool | None = None) -> None:
    """Raise Conflict when runs that have not ended read one of these records.

    With `force` only when they have begun; None: nobody may ask for that here.
    """
    rows = _reading(session, ids)
    begun = {row.uid for row in rows if row.state not in WAIT}
    found = begun if force else {row.uid for row in rows}
    if not found:
        return
    also = FORCE if force is False and not begun else ""
    some = min(begun or found)
    if len(found) == 1:
        raise Conflict(f"run {some} reads it: wait for its end, or cancel it{also}")
    raise Conflict(f"{len(found)} runs wait for it, {some} among them: let them end first{also}")


def end(session: Session, actor: Actor, ids: Iterable[int]) -> int:
    """Fail the runs that wait for these records, each with the image's name; return how many.

    NotAllowed: one of them is somebody else's, in a project that the caller does not manage.
    """
    names: dict[int, str] = {}
    for row in _reading(session, ids):
        names.setdefault(row.id, row.name)
    _require(session, actor, list(names))
    alike: dict[str, list[int]] = {}
    for run_id, name in names.items():
        alike.setdefault(name, []).append(run_id)
    for name, run_ids in sorted(alike.items()):
        said = f"{actor.name} threw its input {name!r} away while this waited"
        error = {"error": readable.ERROR, "message": f"{said}: restore it, then run this again"}
        waits = Run.state.in_(WAIT)
        moved = states.move_all(
            session, run_ids, "failed", by=actor.name, only_if=waits, error=error
        )
        if len(moved) < len(run_ids):
            raise Conflict("a run that waited for it began at this moment: try again")
    return len(names)


def _reading(session: Session, ids: Iterable[int]) -> Sequence[Any]:
    asked = (
        select(Run.id, Run.uid, Run.state, Record.name)
        .join(RunInput, RunInput.run_id == Run.id)
        .join(Record, Record.id == RunInput.image_id)
        .where(Run.state.not_in(states.ENDED))
        .order_by(Run.id, RunInput.position)
    )
    found: list[Any] = []
    for batch in batches(sorted(ids)):
        found += session.execute(asked.where(RunInput.image_id.in_(batch)))
    return found


def _require(session: Session, actor: Actor, run_ids: Sequence[int]) -> None:
    mine = or_(Run.person == actor.name, policy.reachable(actor, "manager", Run))
    others = 0
    for some in batches(run_ids):
        others += len(session.scalars(select(Run.id).where(Run.id.in_(some), ~mine)).all())
    if others:
        raise NotAllowed(
            f"{others} of the runs that wait for it are other people's: "
            "ask them, or a manager of their project"
        )
