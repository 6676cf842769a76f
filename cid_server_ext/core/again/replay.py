"""A run once more: the same version of its template, the same values, the same bytes."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ...db.tables import Image, Run, RunInput
from ...errors import Conflict, NotAllowed
from .. import policy
from ..actor import Actor
from ..runs import submit
from ..templates import manifest as manifests


def replay(session: Session, actor: Actor, uid: str) -> Run:
    """Queue the run `uid` once more, also of a template that was withdrawn.

    Raises NotFound, NotAllowed (contributor of the project of its image), Conflict for an input
    that changed or cannot be read, or OverQuota; then nothing is queued.
    """
    if actor.run_id is not None:
        raise NotAllowed("a run token opens this run's inputs and output, nothing else")
    run = policy.find(session, actor, Run, uid)
    first = policy.require(session, actor, "contributor", Image, run.inputs[0].image.uid)
    submit.check_active(first.project)
    for given in run.inputs:
        policy.find(session, actor, Image, given.image.uid)
        _same(given)
    for image_id, notes in submit.unreadable(session, [i.image for i in run.inputs]).items():
        name = next(i.image.name for i in run.inputs if i.image_id == image_id)
        raise Conflict(f"{name!r} cannot be read: {notes[0].message}; {notes[0].fix}")
    manifest = manifests.read(run.template.manifest)
    order = submit.Order(
        run.template,
        manifest,
        dict(run.parameters),
        told={"replay_of": run.uid},
        also=[(given.role, given.image) for given in run.inputs[1:]],
    )
    again = submit.queue(session, actor, order, first)
    again.replay_of_id = run.id
    session.flush()
    return again


def _same(given: RunInput) -> None:
    """Raise Conflict unless the input has the bytes that the run read."""
    if given.sha256 is not None and given.sha256 != given.image.sha256:
        raise Conflict(
            f"{given.image.name!r} is not what the run read: its digest was "
            f"{given.sha256[:12]}… and is {given.image.sha256[:12]}…; run the template anew"
        )
