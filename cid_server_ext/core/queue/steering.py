"""What people do to runs and batches that are not over: pause, resume, cancel, retry, hurry.

A run may be steered by who submitted it and by managers of its project, a batch only whole.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session, selectinload

from ...db import capture
from ...db.tables import Project, Run, RunInput
from ...errors import Conflict, NotAllowed, NotFound
from .. import journal, policy
from ..actor import Actor
from ..estimate.room import output_bytes
from ..ledger import allocations
from ..runs import states, submit
from ..steps import follow
from ..templates import manifest as manifests
from . import turns, wake

# the same again would end the same: whoever retries a batch is told of them
SURE = frozenset(
    {"BadInput", "BadParameter", "BytesChanged", "EnvironmentDiffers", "InputGone", "PromiseBroken"}
)


@dataclass(frozen=True, slots=True)
class Left:
    """A run of the batch to which nothing was done, and why."""

    run: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Steered:
    """What was done: to how many runs of the batch, and to which of those meant it was not."""

    batch: str
    changed: int
    left: Sequence[Left] = field(default=())


def pause(session: Session, actor: Actor, uid: str) -> Run:
    """Let a queued run wait until it is resumed."""
    run = _one(session, actor, uid)
    if run.state != "queued":
        raise Conflict(f"run {run.uid} is {run.state}: only what is queued can wait; cancel it")
    _set(session, actor, [run.id], "pause runs", f"run:{run.uid}", run.project_id, paused=True)
    session.refresh(run)
    return run


def resume(session: Session, actor: Actor, uid: str) -> Run:
    """Let a paused run go on."""
    run = _one(session, actor, uid)
    if run.paused:
        about = f"run:{run.uid}"
        _set(session, actor, [run.id], "resume runs", about, run.project_id, paused=False)
        wake.call(session)
    session.refresh(run)
    return run


def retry(session: Session, actor: Actor, uid: str) -> Run:
    """Queue a failed run again: the same version, parameters and inputs. OverQuota: no room.

    Of a run that is done, what could not follow it is tried again.
    """
    run = _one(session, actor, uid)
    if run.state == "done" and follow.again(session, actor, run):
        return run
    if run.state != "failed":
        raise Conflict(f"run {run.uid} is {run.state}: only one that failed is tried again")
    policy.require(session, actor, "contributor", Run, uid)
    reason = _unfit(session, [run]).get(run.id)
    if reason is not None:
        raise Conflict(reason)
    _again(session, actor, [run], f"run:{run.uid}")
    session.refresh(run)
    return run


def pause_batch(session: Session, actor: Actor, batch: str) -> Steered:
    """Let all that is queued of the batch wait; what has begun goes on."""
    rows = _all(session, actor, batch)
    meant = [row.id for row in rows if row.state not in states.ENDED and not row.paused]
    _set(session, actor, meant, "pause runs", f"batch:{batch}", rows[0].project_id, paused=True)
    waiting = sum(row.state == "queued" and not row.paused for row in rows)
    going = _going(rows, "it has begun and goes on")
    return Steered(batch, waiting, going)


def resume_batch(session: Session, actor: Actor, batch: str) -> Steered:
    """Let what was paused of the batch go on."""
    rows = _all(session, actor, batch)
    meant = [row.id for row in rows if row.paused]
    _set(session, actor, meant, "resume runs", f"batch:{batch}", rows[0].project_id, paused=False)
    wake.call(session)
    return Steered(batch, sum(row.paused and row.state == "queued" for row in rows))


def cancel_batch(session: Session, actor: Actor, batch: str) -> Steered:
    """End what is queued of the batch now, and what has begun at its worker's next word."""
    rows = _all(session, actor, batch)
    queued = [row.id for row in rows if row.state == "queued"]
    ended = states.move_all(
        session, queued, "cancelled", by=actor.name, only_if=Run.state == "queued"
    )
    rest = [row.id for row in rows if row.state not in states.ENDED and row.id not in set(ended)]
    for some in states.batches(rest):
        asked = update(Run).where(Run.id.in_(some), Run.state.not_in(states.ENDED))
        session.execute(asked.values(cancel_asked=True))
    if rest:
        about, project = f"batch:{batch}", rows[0].project_id
        journal.record(session, actor.name, "ask to cancel", about, project_id=project)
    return Steered(batch, len(ended) + len(rest))


def retry_batch(session: Session, actor: Actor, batch: str) -> Steered:
    """Queue again what failed of the batch and may end otherwise; say what is left and why.

    Raises OverQuota, and then nothing is queued, where the results would not fit.
    """
    rows = _all(session, actor, batch)
    failed = [row.id for row in rows if row.state == "failed"]
    if not failed:
        raise Conflict(f"no run of batch {batch} has failed")
    runs, left = _runs(session, actor, failed), []
    if len(runs) < len(failed):
        raise NotAllowed("this needs the role contributor in every project of the batch")
    unfit = _unfit(session, runs)
    for run in runs:
        error = (run.error or {}).get("error")
        if error in SURE:
            unfit[run.id] = f"{error}: the same again would end the same; submit it anew"
        if run.id in unfit:
            left.append(Left(run.uid, run.state, unfit[run.id]))
    going = [run for run in runs if run.id not in unfit]
    _again(session, actor, going, f"batch:{batch}")
    return Steered(batch, len(going), left)


def set_priority(session: Session, actor: Actor, batch: str, priority: int) -> Steered:
    """Let a batch go before others of its team, or after them; above 0 staff only."""
    turns.check(actor, turns.Turn(priority))
    rows = _all(session, actor, batch)
    meant = [row.id for row in rows if row.state not in states.ENDED]
    about, project = f"batch:{batch}", rows[0].project_id
    _set(session, actor, meant, "set priority", about, project, priority=priority)
    wake.call(session)
    return Steered(batch, len(meant))


def _one(session: Session, actor: Actor, uid: str) -> Run:
    run = policy.find(session, actor, Run, uid)
    if actor.run_id is not None or not actor.writes:
        raise NotAllowed("this token may not steer a run")
    if run.person != actor.name:
        policy.require(session, actor, "manager", Project, run.project.name)
    return run


def _all(session: Session, actor: Actor, batch: str) -> Sequence[Any]:
    """Return the batch's runs in the order of their submit; NotFound where the caller sees none."""
    mine = or_(Run.person == actor.name, policy.reachable(actor, "manager", Run))
    asked = policy.visible(actor, Run).with_only_columns(
        Run.id, Run.uid, Run.state, Run.paused, Run.project_id, mine.label("mine")
    )
    rows = session.execute(asked.where(Run.batch == batch).order_by(Run.id)).all()
    if not rows:
        raise NotFound(f"no batch {batch!r} that you can see")
    if actor.run_id is not None or not actor.writes:
        raise NotAllowed("this token may not steer a batch")
    if not all(row.mine for row in rows):
        raise NotAllowed("only who submitted this batch and managers of its project may do this")
    return rows


def _going(rows: Sequence[Any], reason: str) -> list[Left]:
    begun = {"starting", "running", "committing"}
    return [Left(row.uid, row.state, reason) for row in rows if row.state in begun]


def _set(
    session: Session,
    actor: Actor,
    run_ids: Collection[int],
    action: str,
    about: str,
    project_id: int,
    **values: Any,
) -> None:
    if not run_ids:
        return
    capture.touch(session, Run, run_ids)
    for some in states.batches(run_ids):
        changing = update(Run).where(Run.id.in_(some), Run.state.not_in(states.ENDED))
        session.execute(changing.values(**values), execution_options=states.CAPTURED)
    told = {"runs": len(run_ids)} | {k: v for k, v in values.items() if k == "priority"}
    journal.record(session, actor.name, action, about, told, project_id=project_id)


def _runs(session: Session, actor: Actor, run_ids: Sequence[int]) -> list[Run]:
    """Return the runs in whose project the caller may submit, with what they read."""
    whole = (
        select(Run)
        .where(policy.reachable(actor, "contributor", Run))
        .options(
            selectinload(Run.inputs).selectinload(RunInput.image),
            selectinload(Run.template),
            selectinload(Run.project),
        )
        .order_by(Run.id)
    )
    found: list[Run] = []
    for some in states.batches(run_ids):
        found += session.scalars(whole.where(Run.id.in_(some)))
    return found


def _unfit(session: Session, runs: Sequence[Run]) -> dict[int, str]:
    """Return why runs cannot be tried again: their project, or what they would read."""
    images = {given.image.id: given.image for run in runs for given in run.inputs}
    gone = submit.unreadable(session, list(images.values()))
    found: dict[int, str] = {}
    for run in runs:
        if run.project.state != "active":
            found[run.id] = f"project {run.project.name!r} is {run.project.state}"
        for given in run.inputs:
            image = given.image
            if image.purged_at is not None or image.trash_id is not None:
                found[run.id] = f"its input {image.name!r} is in the trash or gone"
            if given.position == 0 and image.project_id != run.project_id:
                found[run.id] = f"its input {image.name!r} is in another project: run it there"
            for note in gone.get(image.id, ()):
                found[run.id] = f"its input {image.name!r} cannot be read: {note.message}"
    return found


def _again(session: Session, actor: Actor, runs: Sequence[Run], about: str) -> None:
    """Reserve what they may write and queue them, all or none."""
    if not runs:
        return
    needed: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for run in runs:
        manifest = manifests.read(run.template.manifest)
        sizes[run.id] = output_bytes(manifest, run.inputs[0].image) if run.inputs else 0
        needed[run.project_id] = needed.get(run.project_id, 0) + sizes[run.id]
    for project_id, nbytes in sorted(needed.items()):
        allocations.reserve(session, project_id, nbytes)
    moved = states.move_all(
        session,
        [run.id for run in runs],
        "queued",
        by=actor.name,
        only_if=Run.state == "failed",
        error=None,
        strikes=[],
        metrics={},
        cancel_asked=False,
        paused=False,
    )
    if len(moved) < len(runs):
        raise Conflict("somebody else retries them at this moment: look again")
    one = update(Run).where(Run.id == bindparam("run")).values(reserved=bindparam("nbytes"))
    told = [{"run": run_id, "nbytes": nbytes} for run_id, nbytes in sizes.items()]
    session.connection().execute(one, told)
    count, project = {"runs": len(runs)}, runs[0].project_id
    journal.record(session, actor.name, "retry runs", about, count, project_id=project)
    wake.call(session)
