"""Submit: every image and every parameter is checked, the output reserved, then runs are queued."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Image, Project, Reference, Run, RunInput, Tag, Template, Term, new_uid
from ...errors import BadInput, Conflict
from .. import journal
from ..actor import Actor
from ..catalog.homes import batches
from ..estimate import gpu
from ..estimate.room import output_bytes
from ..ledger import allocations
from ..queue import turns, wake
from ..queue.turns import Turn
from ..search import find
from ..templates import contract, parameters, templates
from ..templates import manifest as manifests
from . import further, rights
from .chosen import required

MOST_IMAGES = 10_000
ELSEWHERE = "ask staff to promote it"  # what helps a project's template to images of another


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, as part of which batch; `told` is what the journal says of it besides."""

    template: Template
    manifest: manifests.Manifest
    values: dict[str, Any]
    batch: str = field(default_factory=new_uid)
    told: dict[str, Any] = field(default_factory=dict)
    also: further.Chosen = field(default_factory=list)
    turn: Turn = turns.USUAL
    then: list[dict[str, Any]] = field(default_factory=list)  # see `core.steps.plan`
    after: int | None = None  # the run that it follows


def submit(
    session: Session,
    actor: Actor,
    template: str,
    images: list[str] | str,
    given: dict[str, Any],
    inputs: further.Given = further.NONE,
    turn: Turn = turns.USUAL,
    then: list[dict[str, Any]] | None = None,
) -> list[Run]:
    """Queue one run for each image, all of one batch; all or nothing. A text is a query.

    `inputs` are further ones by role, the same for all; `turn` says how urgent they are, `then`
    what follows each, as `steps.plan` checked it.

    Raises NotFound, NotAllowed (contributor of each image's project), BadParameter, BadInput or
    OverQuota before anything is queued.
    """
    turns.check(actor, turn)
    published = templates.newest(session, actor, template)
    manifest = manifests.read(published.manifest)
    if isinstance(images, str):
        images = found(session, actor, images, manifest.inputs.kind)
    if not 1 <= len(images) <= MOST_IMAGES or len(set(images)) != len(images):
        raise BadInput(f"a batch takes 1 to {MOST_IMAGES} images, each once")
    chosen = required(session, actor, images)
    values = parameters.checked(manifest, given)
    known = tagged(session, manifest, [image.id for image in chosen])
    gone = unreadable(session, chosen)
    also = further.required(session, actor, manifest, inputs)
    for image in chosen:
        check_active(image.project)
        contract.require(manifest, image, values, known.get(image.id, ()))
        for note in gone.get(image.id, ()):
            raise Conflict(f"{image.name!r} cannot be read: {note.message}; {note.fix}")
    order = Order(published, manifest, values, also=also, turn=turn, then=then or [])
    return queue_all(session, actor, [(order, image) for image in chosen])


def found(session: Session, actor: Actor, query: str, kind: str) -> list[str]:
    """Return the images of the kind that the template takes, in the order they came."""
    asked = find.Asked(query, kinds=frozenset({kind}))
    ids = find.every(session, actor, asked, MOST_IMAGES)
    if not ids:
        raise BadInput(f"query: it finds no {kind} that you can see")
    return list(session.scalars(select(Image.uid).where(Image.id.in_(ids)).order_by(Image.id)))


def tagged(
    session: Session, manifest: manifests.Manifest, ids: Sequence[int]
) -> dict[int, set[str]]:
    """Return of each image which of the tags that the contract asks for it has."""
    asked = contract.keys(manifest)
    if not asked:
        return {}
    has = select(Tag.record_id, Term.key).join(Tag.term).where(Term.key.in_(asked))
    known: dict[int, set[str]] = {}
    for batch in batches(ids):
        for record, key in session.execute(has.where(Tag.record_id.in_(batch))):
            known.setdefault(record, set()).add(key)
    return known


def unreadable(session: Session, images: Sequence[Image]) -> dict[int, list[contract.Note]]:
    """Return by image why its pixels cannot be read now: archived, or not as they were in place."""
    found = {
        image.id: [contract.Note("red", "archive", "it is archived", "ask for it back first")]
        for image in images
        if image.tier != "online"
    }
    inside: dict[int, list[int]] = {}
    for image in images:
        if image.inside is not None and image.original_id is not None:
            inside.setdefault(image.original_id, []).append(image.id)
    asked = select(Reference.record_id, Reference.state).where(Reference.state != "ok")
    for batch in batches(list(inside)):
        for original, state in session.execute(asked.where(Reference.record_id.in_(batch))):
            message, fix = f"its file in place is {state}", "tell staff: `jupyter cid fixity`"
            note = contract.Note("red", "in place", message, fix)
            for image_id in inside[original]:
                found.setdefault(image_id, []).append(note)
    return found


def queue(session: Session, actor: Actor, order: Order, image: Image) -> Run:
    """Queue one run on an image that fits the contract, or raise OverQuota and change nothing."""
    return queue_all(session, actor, [(order, image)])[0]


def queue_all(session: Session, actor: Actor, ordered: Sequence[tuple[Order, Image]]) -> list[Run]:
    """Queue a run on each image, which fits the contract, or raise OverQuota and queue none."""
    for template in {order.template.id: order.template for order, _ in ordered}.values():
        same = [image for order, image in ordered if order.template is template]
        gpu.require(session, template, same)
    sizes = [output_bytes(order.manifest, image) for order, image in ordered]
    needed: dict[int, int] = {}
    for (_, image), nbytes in zip(ordered, sizes, strict=True):
        needed[image.project_id] = needed.get(image.project_id, 0) + nbytes
    for project_id, nbytes in sorted(needed.items()):
        allocations.reserve(session, project_id, nbytes)
    with session.no_autoflush:
        runs = [
            queued(session, actor, order, image, nbytes)
            for (order, image), nbytes in zip(ordered, sizes, strict=True)
        ]
    session.flush()
    wake.call(session)
    return runs


def queued(session: Session, actor: Actor, order: Order, image: Image, nbytes: int) -> Run:
    """Queue one run for which these bytes are reserved already."""
    template, manifest, values = order.template, order.manifest, order.values
    if not templates.of_project(template, image.project_id):
        raise BadInput(f"{template.reference} runs on images of its own project: {ELSEWHERE}")
    inputs, asked = [(manifest.inputs.roles[0], image), *order.also], manifest.resources
    run = Run(
        uid=new_uid(),
        batch=order.batch,
        project_id=image.project_id,
        template_id=template.id,
        person=actor.name,
        parameters=values,
        gpu=turns.gpu(asked.gpus, asked.gpu_above, math.prod(image.shape)),
        priority=order.turn.priority,
        not_before=order.turn.not_before,
        reserved=nbytes,
        then=order.then or None,
        after_id=order.after,
        inputs=[
            RunInput(position=place, image_id=one.id, role=role, sha256=one.sha256)
            for place, (role, one) in enumerate(inputs)
        ],
    )
    session.add(run)
    detail: dict[str, Any] = {
        "template": template.reference,
        "version": template.version,
        "digest": template.digest,
        "parameters": values,
        "inputs": [one.uid for _, one in inputs],
        "project": session.get_one(Project, image.project_id).name,
        **order.told,
    }
    if order.then:
        detail["then"] = [step["template"] for step in order.then]
    if actor.staff:  # no role that ends: `rights` lets it start
        detail["staff"] = True
    about = f"run:{run.uid}"
    journal.record(session, actor.name, rights.SUBMIT, about, detail, project_id=run.project_id)
    return run


def check_active(project: Project) -> None:
    """Raise Conflict for a project in which nothing runs."""
    if project.state != "active":
        raise Conflict(f"project {project.name!r} is {project.state}: nothing runs in it")
