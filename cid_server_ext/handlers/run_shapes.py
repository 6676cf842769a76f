"""What the API answers about templates and runs."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from ..core.runs import preflight as preflights
from ..core.runs import runs
from ..core.templates import contract
from ..db import tables as t
from . import shapes
from .base import Ask


class Template(BaseModel):
    """A published version; `parameters` are what a form is drawn from."""

    name: str
    version: str
    digest: str
    title: str
    summary: str
    parameters: dict[str, Any]
    manifest: dict[str, Any]
    published_by: str
    created_at: dt.datetime


class Templates(BaseModel):
    """The newest version of each."""

    templates: list[Template]


class TemplateName(BaseModel):
    """Which version of which template."""

    name: str
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
    """The executed notebook: a run's provenance record."""

    uid: str
    name: str
    nbytes: int
    sha256: str


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
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None


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
    would be reserved for the images that are not red.
    """

    template: TemplateName
    counts: dict[str, int]
    images: list[Seen]
    notes: list[Note]
    channels: list[str]
    nbytes: int


class Work(BaseModel):
    """What a worker executes."""

    run: str
    template: str
    notebook: str
    kernel: str
    parameters: dict[str, Any]
    inputs: list[shapes.Image]
    roles: list[str]
    wall_seconds: int


class Going(BaseModel):
    """The answer to progress: whether to stop."""

    cancel: bool


def template(row: t.Template) -> Template:
    """Fill a template."""
    about = row.manifest["template"]
    return Template(
        name=row.name,
        version=row.version,
        digest=row.digest,
        title=about["title"],
        summary=about["summary"],
        parameters=row.manifest["parameters"],
        manifest=row.manifest,
        published_by=row.published_by,
        created_at=row.created_at,
    )


def preflight(found: preflights.Preflight) -> Preflight:
    """Fill what was looked at."""
    row = found.template
    return Preflight(
        template=TemplateName(name=row.name, version=row.version, digest=row.digest),
        counts={light: found.count(light) for light in preflights.RANK},
        images=[
            Seen(uid=one.uid, name=one.name or None, light=one.light, notes=_notes(one.notes))
            for one in found.images
        ],
        notes=_notes(found.notes),
        channels=found.channels,
        nbytes=found.nbytes,
    )


def _notes(notes: Iterable[contract.Note]) -> list[Note]:
    return [Note(**dataclasses.asdict(note)) for note in notes]


def several(ask: Ask, rows: list[t.Run]) -> list[Run]:
    """Fill runs with what they wrote."""
    written = runs.outputs(ask.session, ask.actor, rows)
    return [_run(row, *written[row.id]) for row in rows]


def one(ask: Ask, row: t.Run) -> Run:
    """Fill one run."""
    return several(ask, [row])[0]


def work(ask: Ask, row: t.Run) -> Work:
    """Fill what the run's worker needs."""
    manifest = row.template.manifest
    return Work(
        run=row.uid,
        template=row.template.name,
        notebook=row.template.notebook,
        kernel=manifest["environment"]["kernel"],
        parameters=runs.resolved(row),
        inputs=[shapes.image(ask, given.image) for given in row.inputs],
        roles=[given.role for given in row.inputs],
        wall_seconds=manifest["resources"]["wall_seconds"],
    )


def _run(row: t.Run, images: list[t.Image], files: list[t.File]) -> Run:
    notebook = row.notebook
    return Run(
        uid=row.uid,
        batch=row.batch,
        template=TemplateName(
            name=row.template.name, version=row.template.version, digest=row.template.digest
        ),
        project=row.project.name,
        dataset=row.dataset and row.dataset.path,
        person=row.person,
        state=row.state,
        attempt=row.attempt,
        cancel_asked=row.cancel_asked,
        parameters=row.parameters,
        progress=row.progress,
        inputs=[Input(uid=i.image.uid, name=i.image.name, role=i.role) for i in row.inputs],
        outputs=Outputs(images=[_thing(i) for i in images], files=[_thing(f) for f in files]),
        notebook=notebook
        and Notebook(
            uid=notebook.uid,
            name=notebook.name,
            nbytes=notebook.nbytes,
            sha256=notebook.sha256,
        ),
        metrics=row.metrics,
        error=row.error,
        environment=row.environment,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def _thing(row: t.Image | t.File) -> Thing:
    return Thing(uid=row.uid, name=row.name, kind=row.kind, sha256=row.sha256)
