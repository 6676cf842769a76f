"""What the API answers about templates and runs."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from pydantic import BaseModel

from ..core.estimate import eta
from ..core.queue import waiting
from ..core.runs import preflight as preflights
from ..core.runs import runs
from ..core.templates import contract
from ..db import tables as t
from . import estimate_shapes, shapes
from .base import Ask


class TemplateName(BaseModel):
    """Which version of which template; `reference` is `project:name` for a project's own."""

    name: str
    reference: str
    version: str
    digest: str


class Thing(BaseModel):
    """An image or file named in a run."""

    uid: str
    name: str
    kind: str
    sha256: str


class Input(BaseModel):
    """An image that a run reads."""

    uid: str
    name: str
    role: str


class Outputs(BaseModel):
    """What a run wrote."""

    images: list[Thing]
    files: list[Thing]


class Notebook(BaseModel):
    """The executed notebook; `page` is the path at which a person reads it."""

    uid: str
    name: str
    nbytes: int
    sha256: str
    page: str


class Step(BaseModel):
    """A template that follows, its parameters, and from where it takes its roles."""

    template: str
    parameters: dict[str, Any]
    take: dict[str, str]


class Followed(BaseModel):
    """What came of the next step: the run that it is, or why it could not begin."""

    run: str | None = None
    error: str | None = None
    message: str | None = None


class Run(BaseModel):
    """One execution of a template on one input set."""

    uid: str
    batch: str
    template: TemplateName
    project: str
    dataset: str | None
    person: str
    state: str
    attempt: int
    cancel_asked: bool
    parameters: dict[str, Any]
    progress: dict[str, Any]
    inputs: list[Input]
    outputs: Outputs
    notebook: Notebook | None
    metrics: dict[str, Any]
    error: dict[str, Any] | None
    environment: dict[str, Any]
    usage: dict[str, Any]
    replay_of: str | None
    after: str | None
    then: list[Step]
    followed: Followed | None
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    eta: estimate_shapes.Eta | None = None  # of one run; lists of them tell none
    priority: int
    paused: bool
    not_before: dt.datetime | None
    waits: str | None  # what for, of one that has not begun


class Runs(BaseModel):
    """Runs; pass `next` as `after` for older ones."""

    runs: list[Run]
    next: str | None


class Batch(BaseModel):
    """The runs of one submit."""

    batch: str
    runs: list[Run]


class Note(BaseModel):
    """One thing to know before it starts: red stops it, amber does not; `fix` says what to do."""

    light: str
    about: str
    message: str
    fix: str


class Seen(BaseModel):
    """An image and its light: green, amber or red; `name` is null where the caller sees none."""

    uid: str
    name: str | None
    light: str
    notes: list[Note]


class Preflight(BaseModel):
    """What a submit would do; it is taken when nothing is red.

    `notes` are about parameters and room, `channels` the names that all images have; `nbytes`
    would be reserved for the images that are not red, `estimate` is what they would take.
    """

    template: TemplateName
    counts: dict[str, int]
    images: list[Seen]
    notes: list[Note]
    channels: list[str]
    nbytes: int
    estimate: estimate_shapes.Estimate


class Work(BaseModel):
    """What a worker executes."""

    run: str
    template: str
    notebook: str
    kernel: str
    environment: dict[str, str]
    parameters: dict[str, Any]
    inputs: list[shapes.Image]
    roles: list[str]
    wall_seconds: int


class Going(BaseModel):
    """The answer to progress: whether to stop."""

    cancel: bool


def template_name(row: t.Template) -> TemplateName:
    """Say which version of which template it is."""
    return TemplateName(
        name=row.name, reference=row.reference, version=row.version, digest=row.digest
    )


def preflight(found: preflights.Preflight) -> Preflight:
    """Fill what was looked at."""
    row = found.template
    return Preflight(
        template=template_name(row),
        counts={light: found.count(light) for light in preflights.RANK},
        images=[
            Seen(uid=one.uid, name=one.name or None, light=one.light, notes=_notes(one.notes))
            for one in found.images
        ],
        notes=_notes(found.notes),
        channels=found.channels,
        nbytes=found.nbytes,
        estimate=estimate_shapes.estimate(found.estimate),
    )


def _notes(notes: Iterable[contract.Note]) -> list[Note]:
    return [Note(**dataclasses.asdict(note)) for note in notes]


def several(ask: Ask, rows: list[t.Run]) -> list[Run]:
    """Fill runs with what they wrote."""
    written = runs.outputs(ask.session, ask.actor, rows)
    seen = runs.seen_inputs(ask.session, ask.actor, rows)
    waits = waiting.why(ask.session, rows)
    return [_run(ask, row, seen, waits.get(row.id), written[row.id]) for row in rows]


def one(ask: Ask, row: t.Run) -> Run:
    """Fill one run."""
    told = several(ask, [row])[0]
    told.eta = estimate_shapes.eta(eta.of_run(ask.session, row))
    return told


def work(ask: Ask, row: t.Run) -> Work:
    """Fill what the run's worker needs."""
    manifest = row.template.manifest
    return Work(
        run=row.uid,
        template=row.template.name,
        notebook=row.template.notebook,
        kernel=manifest["environment"]["kernel"],
        environment=manifest["environment"],
        parameters=runs.resolved(row),
        inputs=[shapes.image(ask, given.image) for given in row.inputs],
        roles=[given.role for given in row.inputs],
        wall_seconds=manifest["resources"]["wall_seconds"],
    )


def _run(
    ask: Ask,
    row: t.Run,
    seen: Collection[int],
    waits: str | None,
    written: tuple[list[t.Image], list[t.File]],
) -> Run:
    notebook = row.notebook
    images, files = written
    return Run(
        uid=row.uid,
        batch=row.batch,
        template=template_name(row.template),
        project=row.project.name,
        dataset=row.dataset and row.dataset.path,
        person=row.person,
        state=row.state,
        attempt=row.attempt,
        cancel_asked=row.cancel_asked,
        parameters=row.parameters,
        progress=row.progress,
        inputs=[
            Input(uid=i.image.uid, name=i.image.name, role=i.role)
            for i in row.inputs
            if i.image_id in seen
        ],
        outputs=Outputs(images=[_thing(i) for i in images], files=[_thing(f) for f in files]),
        notebook=notebook
        and Notebook(
            uid=notebook.uid,
            name=notebook.name,
            nbytes=notebook.nbytes,
            sha256=notebook.sha256,
            page=f"{ask.services.prefix}runs/{row.uid}/notebook",
        ),
        metrics=row.metrics,
        error=row.error,
        environment=row.environment,
        usage=row.usage,
        replay_of=row.replay_of and row.replay_of.uid,
        after=row.after and row.after.uid,
        then=[Step(**step) for step in row.then or ()],
        followed=Followed(**row.followed) if row.followed else None,
        priority=row.priority,
        paused=row.paused,
        not_before=row.not_before,
        waits=waits,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def _thing(row: t.Image | t.File) -> Thing:
    return Thing(uid=row.uid, name=row.name, kind=row.kind, sha256=row.sha256)
