"""Submit: every image and every parameter is checked, the output reserved, then runs are queued."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Image, Project, Run, RunInput, Template, new_uid
from ...errors import BadInput, Conflict
from .. import journal, policy
from ..actor import Actor
from ..ledger import allocations
from ..search import find
from . import manifest as manifests
from . import parameters, rights, templates

MOST_IMAGES = 1000
OVERHEAD = 4_000_000  # executed notebook, tables and metadata of one run, in bytes


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, as part of which batch; `told` is what the journal says of it besides."""

    template: Template
    manifest: manifests.Manifest
    values: dict[str, Any]
    batch: str = field(default_factory=new_uid)
    told: dict[str, Any] = field(default_factory=dict)


def submit(
    session: Session,
    actor: Actor,
    template: str,
    images: list[str] | str,
    given: dict[str, Any],
) -> list[Run]:
    """Queue one run for each image, all of one batch; all or nothing. A text is a query.

    Raises NotFound, NotAllowed (contributor of each image's project), BadParameter, BadInput or
    OverQuota before anything is queued.
    """
    published = templates.newest(session, actor, template)
    manifest = manifests.read(published.manifest)
    if isinstance(images, str):
        images = _found(session, actor, images, manifest.inputs.kind)
    if not 1 <= len(images) <= MOST_IMAGES or len(set(images)) != len(images):
        raise BadInput(f"a batch takes 1 to {MOST_IMAGES} images, each once")
    chosen = [policy.require(session, actor, "contributor", Image, uid) for uid in images]
    values = parameters.checked(manifest, given)
    for image in chosen:
        _check_active(image.project)
        check_contract(manifest, image)
    order = Order(published, manifest, values)
    runs = [queue(session, actor, order, image) for image in chosen]
    session.flush()
    return runs


def _found(session: Session, actor: Actor, query: str, kind: str) -> list[str]:
    """Return the images of the kind that the template takes, in the order they came."""
    asked = find.Asked(query, kinds=frozenset({kind}))
    ids = find.every(session, actor, asked, MOST_IMAGES)
    if not ids:
        raise BadInput(f"query: it finds no {kind} that you can see")
    return list(session.scalars(select(Image.uid).where(Image.id.in_(ids)).order_by(Image.id)))


def output_bytes(manifest: manifests.Manifest, image: Image) -> int:
    """Return the bytes to reserve: uncompressed labels with their pyramid, and the small things."""
    plane: int = math.prod(
        length for axis, length in zip(image.axes, image.shape, strict=True) if axis != "c"
    )
    outputs = manifest.outputs
    stores = len(outputs.labels) + len(outputs.images)
    return stores * plane * outputs.labels_bytes_per_pixel * 4 // 3 + OVERHEAD


def queue(session: Session, actor: Actor, order: Order, image: Image) -> Run:
    """Queue one run on an image that fits the contract, or raise OverQuota and change nothing."""
    template, manifest, values = order.template, order.manifest, order.values
    nbytes = output_bytes(manifest, image)
    allocations.reserve(session, image.project_id, nbytes)
    run = Run(
        uid=new_uid(),
        batch=order.batch,
        project_id=image.project_id,
        template_id=template.id,
        person=actor.name,
        parameters=values,
        reserved=nbytes,
        inputs=[RunInput(position=0, image_id=image.id, role=manifest.inputs.roles[0])],
    )
    session.add(run)
    detail: dict[str, Any] = {
        "template": template.name,
        "version": template.version,
        "digest": template.digest,
        "parameters": values,
        "inputs": [image.uid],
        "project": session.get_one(Project, image.project_id).name,
        **order.told,
    }
    if actor.staff:  # no role that ends: `rights` lets it start
        detail["staff"] = True
    about = f"run:{run.uid}"
    journal.record(session, actor.name, rights.SUBMIT, about, detail, project_id=run.project_id)
    return run


def _check_active(project: Project) -> None:
    if project.state != "active":
        raise Conflict(f"project {project.name!r} is {project.state}: nothing runs in it")


def check_contract(manifest: manifests.Manifest, image: Image) -> None:
    """Raise BadInput that says why the template does not take the image."""
    asked = manifest.inputs
    title = manifest.template.name
    if image.kind != asked.kind:
        raise BadInput(f"{title} takes {asked.kind}, {image.name!r} is {image.kind}")
    missing = [axis for axis in asked.axes if axis not in image.axes]
    if missing:
        raise BadInput(f"{title} needs axes {', '.join(missing)}, {image.name!r} has {image.axes}")
    if asked.dtypes and image.dtype not in asked.dtypes:
        raise BadInput(f"{title} takes {', '.join(asked.dtypes)}, {image.name!r} is {image.dtype}")
