"""Subscriptions as people change them: begun, told other values, paused, gone on with, ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Dataset, Project, Subscription, SubscriptionMatch
from ...errors import BadInput, Conflict, NotAllowed, NotFound
from .. import names, policy
from ..actor import Actor
from ..catalog import datasets
from ..queue import turns
from ..queue.turns import Turn
from ..runs import further
from ..templates import manifest as manifests
from ..templates import parameters, templates
from . import beside, estimate, following, seen
from .budget import Limits, Stopped
from .estimate import Estimate
from .telling import say

MOST = 50  # subscriptions of one project that have not ended
LARGEST = 2**60
COLUMNS = {"runs": "most_runs", "runs_a_day": "most_a_day", "nbytes": "most_bytes"}

Match = SubscriptionMatch


@dataclass(frozen=True, slots=True)
class Wanted:
    """A template for what a saved search (the path of a live dataset) of a project newly finds.

    also_existing: what matches already is run too, unless it was. `inputs` are further ones of all
    runs, by role, and `priority` is theirs.
    """

    project: str
    search: str
    template: str
    parameters: dict[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    also_existing: bool = False
    inputs: further.Given = field(default_factory=dict)
    priority: int = 0


def preview(session: Session, actor: Actor, wanted: Wanted) -> Estimate:
    """Return what `create` would run now if `also_existing`, and change nothing."""
    row = _made(session, actor, wanted)
    return estimate.of(session, row, estimate.there(session, row))


def create(session: Session, actor: Actor, wanted: Wanted) -> Subscription:
    """Subscribe. Contributors may; what matches already is not run unless it is asked for.

    Raises BadInput, BadParameter, NotFound, NotAllowed, or Conflict: there is the same already.
    """
    row = _made(session, actor, wanted)
    if wanted.limits == Limits():
        raise BadInput("budget: say how many runs, runs a day or bytes it may spend")
    _check(wanted.limits)
    datasets.hold(session, [row.project_id])
    _refuse_same(session, row)
    session.add(row)
    session.flush()
    detail: dict[str, Any] = {"version": row.template.version, "parameters": row.parameters}
    detail |= {"priority": row.priority} if row.priority else {}
    say(session, row, "subscribe", actor.name, detail)
    ids = estimate.there(session, row)
    already = estimate.run_already(session, row)
    stays = [i for i in ids if i in already or not wanted.also_existing]
    following.add(session, row, stays, "there")
    following.wait(session, row, [i for i in ids if i not in already and wanted.also_existing])
    return row


def change(
    session: Session,
    actor: Actor,
    uid: str,
    limits: Mapping[str, int | None],
    values: Mapping[str, Any] | None = None,
) -> Subscription:
    """Change limits of its budget, and values for the runs to come; what is not named stays.

    Where the budget was spent it goes on. What ran with other values is not run again.
    """
    if values:  # nobody subscribes to the same meanwhile
        datasets.hold(session, [seen.get(session, actor, uid).project_id])
    row = _changed(session, actor, uid)
    told = _limit(row, limits) | _set(row, values or {})
    if "parameters" in told:
        _refuse_same(session, row)
    if told:
        say(session, row, "change subscription", actor.name, told)
    if limits and row.cause in ("budget", "day"):
        row.state, row.cause, row.reason, row.needs = "active", None, None, 0
    return row


def existing(session: Session, actor: Actor, uid: str) -> Subscription:
    """Run it on what matched before it began, too, but for what was run already."""
    row = _changed(session, actor, uid)
    already = estimate.run_already(session, row)
    ids = [number for number in standing(session, row) if number not in already]
    if ids:
        say(session, row, "change subscription", actor.name, {"existing": len(ids)})
        following.turn(session, row, ids, "there", "waiting")
    return row


def standing(session: Session, row: Subscription) -> Sequence[int]:
    """Return the images that matched before it began and were not asked for."""
    there = select(Match.record_id).where(Match.subscription_id == row.id, Match.state == "there")
    return session.scalars(there.order_by(Match.record_id)).all()


def pause(session: Session, actor: Actor, uid: str) -> Subscription:
    """Let it submit nothing until it is resumed; what matches meanwhile waits."""
    row = _changed(session, actor, uid)
    following.pause(session, row, Stopped("person", f"paused by {actor.name}"), actor.name)
    return row


def resume(session: Session, actor: Actor, uid: str) -> Subscription:
    """Let it go on; in the caller's name, if its person may submit there no more."""
    row = _changed(session, actor, uid)
    if not following.may_submit(session, row.person, row.project_id):
        _refuse_staff(session, actor, row.project)
        row.person = actor.name
    if row.state == "paused":
        following.go_on(session, row, actor.name)
    return row


def end(session: Session, actor: Actor, uid: str) -> Subscription:
    """End it: nothing is submitted any more, and runs that were go on to their end."""
    row = _changed(session, actor, uid)
    row.state, row.cause, row.reason, row.needs = "ended", None, f"ended by {actor.name}", 0
    say(session, row, "end subscription", actor.name, {})
    return row


def _limit(row: Subscription, limits: Mapping[str, int | None]) -> dict[str, Any]:
    """Set limits and return those that are others now."""
    _check(Limits(**limits))
    told = {name: most for name, most in limits.items() if getattr(row, COLUMNS[name]) != most}
    for name, most in told.items():
        setattr(row, COLUMNS[name], most)
    if row.most_runs is None and row.most_a_day is None and row.most_bytes is None:
        raise BadInput("budget: one of runs, runs a day and bytes stays limited")
    return told


def _set(row: Subscription, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set values of the template's parameters and return those that are others now."""
    manifest = manifests.read(row.template.manifest)
    new = parameters.checked(manifest, {**row.parameters, **values})
    told = {name: new[name] for name in values if new[name] != row.parameters.get(name)}
    if told:
        row.parameters = new
    return {"parameters": told} if told else {}


def _made(session: Session, actor: Actor, wanted: Wanted) -> Subscription:
    """Return the subscription that is wanted, checked and not yet in the session."""
    project = policy.require(session, actor, "contributor", Project, wanted.project)
    if project.state != "active":
        raise Conflict(f"project {project.name!r} is {project.state}: nothing runs in it")
    template = templates.newest(session, actor, wanted.template)
    if not templates.of_project(template, project.id):
        raise BadInput(f"{template.reference} runs in its own project only")
    manifest = manifests.read(template.manifest)
    turns.check(actor, Turn(wanted.priority))
    alone = Actor(actor.name)  # the runs are submitted without the powers of staff
    also = further.required(session, alone, manifest, wanted.inputs)
    values = parameters.checked(manifest, wanted.parameters)
    search = _search(session, project, wanted.search)
    _refuse_staff(session, actor, project)
    row = Subscription(
        project_id=project.id,
        template_id=template.id,
        dataset_id=search.id,
        person=actor.name,
        parameters=values,
        inputs=beside.uids(also),
        priority=wanted.priority,
        state="active",
        most_runs=wanted.limits.runs,
        most_a_day=wanted.limits.runs_a_day,
        most_bytes=wanted.limits.nbytes,
    )
    row.project, row.template, row.dataset = project, template, search
    return row


def _search(session: Session, project: Project, path: str) -> Dataset:
    try:
        clean = names.dataset_path(path)
    except BadInput as error:
        raise BadInput(f"search: {error}") from None
    called = (Dataset.project_id == project.id) & (Dataset.path == clean)
    found = session.scalar(select(Dataset).where(called, Dataset.trash_id.is_(None)))
    if found is None:
        raise NotFound(f"search: project {project.name!r} has no saved search {path!r}: make one")
    if found.query is None:
        raise BadInput(f"search: {path!r} is a folder: name a saved search, a live dataset")
    return found


def _changed(session: Session, actor: Actor, uid: str) -> Subscription:
    """Return the subscription to its person, or a manager, and hold it."""
    found = seen.get(session, actor, uid)
    role = "contributor" if found.person == actor.name else "manager"
    policy.require(session, actor, role, Subscription, uid)
    row = following.held(session, found.id)
    if row is None or row.state == "ended":
        raise Conflict("this subscription has ended: subscribe again")
    return row


def _refuse_staff(session: Session, actor: Actor, project: Project) -> None:
    """Refuse who submits only as staff: who that is may change, and nobody would notice."""
    if not following.may_submit(session, actor.name, project.id):
        raise NotAllowed(
            "a subscription runs in your name for long: be a contributor of project"
            f" {project.name!r} first, being staff is not enough"
        )


def _refuse_same(session: Session, row: Subscription) -> None:
    mine = select(Subscription).where(
        Subscription.project_id == row.project_id, Subscription.state != "ended"
    )
    others = [other for other in session.scalars(mine) if other is not row]
    if len(others) >= MOST:
        raise Conflict(f"this project has {MOST} subscriptions: end one first")
    for other in others:
        same = (other.template_id, other.dataset_id) == (row.template_id, row.dataset_id)
        if same and (other.parameters, other.inputs) == (row.parameters, row.inputs):
            raise Conflict("there is the same subscription already: change its budget instead")


def _check(limits: Limits) -> None:
    for name, most in (
        ("runs", limits.runs),
        ("runs_a_day", limits.runs_a_day),
        ("nbytes", limits.nbytes),
    ):
        if most is not None and not 0 < most < (LARGEST if name == "nbytes" else 2**31):
            raise BadInput(f"budget: {name} is more than 0, and no more than one can count")
