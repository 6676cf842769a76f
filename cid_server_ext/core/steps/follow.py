"""Begins the next step of each chain whose run is done: once, or it is said why not.

The run remembers what came of it (`followed`), in the transaction that queues the next one.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ...db import capture
from ...db.tables import Image, Run
from ...errors import CidError, Conflict, NotFound
from .. import journal, policy
from ..actor import Actor
from ..notices import ends, notices
from ..queue.turns import Turn
from ..runs import further, states, submit
from ..runs.rights import submitted_by_staff
from ..templates import contract, shelf
from ..templates import manifest as manifests
from .plan import INPUT, WRITTEN

MOST = 200  # runs that are looked at in one go


def due(session: Session) -> list[int]:
    """Return runs that are done and whose next step has not begun, the oldest first."""
    waits = Run.then.is_not(None) & Run.followed.is_(None)
    # as a range, with this order, only one index will do: else SQLite goes through all ever done
    done = (Run.state >= "done") & (Run.state <= "done")
    found = select(Run.id).where(waits, done).order_by(Run.state, Run.id)
    return list(session.scalars(found.limit(MOST)))


def begin(session: Session, run_id: int) -> Run | None:
    """Queue what follows a run, or note why it cannot be; None: nothing was begun."""
    run = session.scalar(
        select(Run).where(Run.id == run_id, Run.followed.is_(None)).with_for_update()
    )
    if run is None or run.then is None:
        return None  # another process was first
    capture.touch(session, Run, [run.id])
    try:
        with session.begin_nested():
            following = _queue(session, run)
    except CidError as error:
        _say(session, run, {"error": type(error).__name__, "message": str(error)})
        return None
    _say(session, run, {"run": following.uid})
    return following


def again(session: Session, actor: Actor, run: Run) -> bool:
    """Let what could not follow be tried once more; False: nothing was in its way."""
    if not (run.followed or {}).get("error"):
        return False
    capture.touch(session, Run, [run.id])
    changing = update(Run).where(Run.id == run.id).values(followed=None)
    session.execute(changing, execution_options=states.CAPTURED)
    about, home = f"run:{run.uid}", run.project_id
    journal.record(session, actor.name, "retry step", about, {}, project_id=home)
    session.refresh(run)
    return True


def batch_after(batch: str) -> str:
    """Return the batch of what follows a batch's runs: one for all of them."""
    return str(uuid.uuid5(uuid.UUID(batch), "then"))


def _queue(session: Session, run: Run) -> Run:
    step, *rest = run.then or []
    actor = Actor(run.person, staff=submitted_by_staff(session, run.uid))
    published = shelf.newest(session, actor, step["template"])
    manifest = manifests.read(published.manifest)
    given = {role: _taken(session, run, source) for role, source in step["take"].items()}
    image = given.pop(manifest.inputs.roles[0])
    policy.require(session, actor, "contributor", Image, image.uid)
    submit.check_active(image.project)
    for notes in submit.unreadable(session, [image]).values():
        raise Conflict(f"{image.name!r} cannot be read: {notes[0].message}; {notes[0].fix}")
    known = submit.tagged(session, manifest, [image.id])
    contract.require(manifest, image, step["parameters"], known.get(image.id, ()))
    also = _further(session, actor, manifest, given)
    order = submit.Order(
        published,
        manifest,
        step["parameters"],
        batch=batch_after(run.batch),
        told={"after": run.uid},
        also=also,
        turn=Turn(run.priority),
        then=rest,
        after=run.id,
    )
    return submit.queue(session, actor, order, image)


def _further(
    session: Session, actor: Actor, manifest: manifests.Manifest, given: dict[str, Image]
) -> further.Chosen:
    """Return the further inputs; what does not fit is not named: not all who read it see it."""
    try:
        uids = {role: [one.uid] for role, one in given.items()}
        return further.required(session, actor, manifest, uids)
    except CidError as error:
        roles = ", ".join(given)
        said = f"it does not take what is given as {roles}: run it by hand to see why"
        raise type(error)(said) from None


def _taken(session: Session, run: Run, source: str) -> Image:
    """Return the image that a step takes of a run, or raise NotFound."""
    word, _, name = source.partition(":")
    if word == INPUT:
        found = [given.image for given in run.inputs if given.role == name or not name]
    else:
        wrote = select(Image).where(Image.run_id == run.id, Image.kind == WRITTEN[word])
        written = session.scalars(wrote.order_by(Image.id)).all()
        found = [one for one in written if _output(run, word, one) == name]
    if not found:
        raise NotFound(f"run {run.uid} has no {source!r} any more")
    return found[0]


def _output(run: Run, word: str, image: Image) -> str:
    """Return the name of an output by the image that it became: "IMAGE NAME".

    Who renamed the input meanwhile changed IMAGE; then the longest name that was promised counts.
    """
    promised: list[str] = run.template.manifest["outputs"][word]
    first = f"{run.inputs[0].image.name} "
    if image.name.startswith(first) and (name := image.name[len(first) :]) in promised:
        return name
    ends = [name for name in promised if image.name.endswith(f" {name}")]
    return max(ends, key=len, default="")


def _say(session: Session, run: Run, told: dict[str, Any]) -> None:
    """Note at the run what came of its next step; what could not begin is told to its person."""
    changing = update(Run).where(Run.id == run.id).values(followed=told)
    session.execute(changing, execution_options=states.CAPTURED)
    subject, home = f"run:{run.uid}", run.project_id
    action = "refuse step" if "error" in told else "follow run"
    journal.record(session, run.person, action, subject, told, project_id=home)
    if "error" in told:
        what = (run.then or [{}])[0].get("template", "")
        said = f"{run.template.name} is done in {run.project.name}, and {what} could not begin: "
        said += f"{told['message']}. Mend it and retry the run"
        about = f"batch:{run.batch}"
        notices.tell(session, run.person, "run", about, said, project_id=run.project_id, once=True)
        ends.told(session, {batch_after(run.batch)}, states.ENDED)
