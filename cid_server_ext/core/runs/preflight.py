"""Pre-flight: what would become of a submit, image by image, before anything is queued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from ...db.tables import Image, Project, Run, RunInput, Template
from ...errors import BadInput, CidError
from .. import policy
from ..actor import Actor
from ..catalog.homes import batches
from ..estimate import estimate, gpu
from ..estimate.estimate import Estimate
from ..estimate.room import output_bytes
from ..ledger import allocations
from ..templates import contract, parameters, templates
from ..templates import manifest as manifests
from ..templates.contract import Light, Note
from . import further, submit

RANK: dict[Light, int] = {"red": 0, "amber": 1, "green": 2}


@dataclass(frozen=True, slots=True)
class Seen:
    """One image and what is to say of it; `name` is empty where the caller sees none."""

    uid: str
    name: str
    notes: tuple[Note, ...]

    @property
    def light(self) -> Light:
        """The worst of its notes; green without one."""
        return min((note.light for note in self.notes), key=RANK.__getitem__, default="green")


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a submit would do. It is taken only if nothing is red.

    `notes` are about all of it: parameters, room. `nbytes` would be reserved for those that are
    not red, and `estimate` says what they would take; `channels` are the names that all have.
    """

    template: Template
    estimate: Estimate
    images: list[Seen]
    notes: list[Note] = field(default_factory=list)
    nbytes: int = 0
    channels: list[str] = field(default_factory=list)

    def count(self, light: Light) -> int:
        """Return how many images have this light."""
        return sum(image.light == light for image in self.images)


def preflight(
    session: Session,
    actor: Actor,
    template: str,
    images: Sequence[str] | str,
    given: dict[str, Any],
    inputs: further.Given = further.NONE,
) -> Preflight:
    """Look at what `submit` would look at, tell all of it and change nothing. A text is a query.

    What is wrong with an image or a parameter is a note. Raises NotFound for a template that is
    not published, BadInput for a query that finds nothing or more than a batch takes.
    """
    published = templates.newest(session, actor, template)
    manifest = manifests.read(published.manifest)
    if isinstance(images, str):
        images = submit.found(session, actor, images, manifest.inputs.kind)
    if not 1 <= len(images) <= submit.MOST_IMAGES:
        raise BadInput(f"a batch takes 1 to {submit.MOST_IMAGES} images")
    seen = _visible(session, actor, images)
    values, notes = _values(manifest, given)
    notes += further.notes(session, actor, manifest, inputs)
    told = _told(session, actor, published, manifest, list(seen.values()), values)
    shown = [
        Seen(uid, seen[uid].name, tuple(told[uid])) if uid in seen else Seen(uid, "", (ABSENT,))
        for uid in dict.fromkeys(images)
    ]
    fit = [seen[one.uid] for one in shown if one.light != "red"]
    notes += _room(manifest, fit)
    notes += [Note("red", "gpu", said, gpu.FIX) for said in gpu.lacking(session, published, fit)]
    nbytes = sum(output_bytes(manifest, image) for image in fit)
    taking = estimate.of(session, published, fit)
    return Preflight(published, taking, shown, notes, nbytes, _channels(list(seen.values())))


ABSENT = Note("red", "image", "there is no such image, or you may not see it", "leave it out")


def _visible(session: Session, actor: Actor, uids: Sequence[str]) -> dict[str, Image]:
    found: dict[str, Image] = {}
    for batch in batches(list(dict.fromkeys(uids))):
        asked = policy.visible(actor, Image).where(Image.uid.in_(batch))
        found |= {image.uid: image for image in session.scalars(asked)}
    return found


def _values(
    manifest: manifests.Manifest, given: dict[str, Any]
) -> tuple[dict[str, Any], list[Note]]:
    """Return the values that are right, and a note for each that is not."""
    values, notes = parameters.each(manifest, given)
    return values, [Note("red", name, said, f"correct {name}") for name, said in notes]


def _told(
    session: Session,
    actor: Actor,
    template: Template,
    manifest: manifests.Manifest,
    images: Sequence[Image],
    values: Mapping[str, Any],
) -> dict[str, list[Note]]:
    ids = [image.id for image in images]
    keys = submit.tagged(session, manifest, ids)
    before = _before(session, actor, template, ids, values)
    gone = submit.unreadable(session, images)
    refused = _refused(session, actor, images)
    told: dict[str, list[Note]] = {}
    for image in images:
        notes = list(contract.notes(manifest, image, values, keys.get(image.id, ())))
        notes += refused.get(image.project_id, ())
        if not templates.of_project(template, image.project_id):
            message = f"{template.reference} runs on images of its own project"
            notes.append(Note("red", "template", message, submit.ELSEWHERE))
        notes += gone.get(image.id, ())
        if image.id in before:
            message = "the same was run on it already, with the same parameters"
            notes.append(Note("amber", "again", message, f"see run {before[image.id]}"))
        told[image.uid] = notes
    return told


def _refused(session: Session, actor: Actor, images: Sequence[Image]) -> dict[int, list[Note]]:
    """Return by project why nothing may be run on its images; one of them speaks for all."""
    refused: dict[int, list[Note]] = {}
    for image in {image.project_id: image for image in images}.values():
        try:
            policy.require(session, actor, "contributor", Image, image.uid)
            submit.check_active(image.project)
        except CidError as error:
            fix = "leave it out, or ask a manager of its project"
            refused[image.project_id] = [Note("red", "project", str(error), fix)]
    return refused


def _before(
    session: Session,
    actor: Actor,
    template: Template,
    ids: Sequence[int],
    values: Mapping[str, Any],
) -> dict[int, str]:
    """Return the newest run of this version with these values on each image, if there is one."""
    same = Run.template_id == template.id
    asked = (
        policy.visible(actor, Run).join(Run.inputs).add_columns(RunInput.image_id).order_by(Run.id)
    )
    found: dict[int, str] = {}
    for batch in batches(ids):
        chosen = asked.where(
            same,
            Run.state.not_in(("failed", "cancelled")),
            RunInput.position == 0,
            RunInput.image_id.in_(batch),
        )
        for run, image in session.execute(chosen):
            if run.parameters == values:
                found[image] = run.uid
    return found


def _room(manifest: manifests.Manifest, images: Sequence[Image]) -> list[Note]:
    """Return a note for each project that has no room for the results."""
    needed: dict[Project, int] = {}
    for image in images:
        needed[image.project] = needed.get(image.project, 0) + output_bytes(manifest, image)
    notes = []
    for project, nbytes in needed.items():
        free = allocations.room(project.allocation)
        if nbytes > free:
            message = (
                f"project {project.name!r} has {allocations.human(free)} left, the results may "
                f"take {allocations.human(nbytes)}"
            )
            fix = "choose fewer images, free space, or ask staff for more"
            notes.append(Note("red", "allocation", message, fix))
    return notes


def _channels(images: Sequence[Image]) -> list[str]:
    """Return the names of channels that all images have, in the order of the first."""
    names = [[str(one.get("name") or "") for one in image.channels] for image in images]
    return [name for name in (names[0] if names else []) if name and all(name in n for n in names)]
