"""What the API answers about templates."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from pydantic import BaseModel

from ..core.templates import differences
from ..db import tables as t


class Withdrawn(BaseModel):
    """Since when nobody runs a version any more, by whom and why."""

    at: dt.datetime
    by: str
    reason: str


class Version(BaseModel):
    """One version: what changed with it, and whether it is withdrawn."""

    version: str
    digest: str
    changelog: str
    published_by: str
    created_at: dt.datetime
    withdrawn: Withdrawn | None


class Versions(BaseModel):
    """Every version of one template, newest first."""

    template: str
    versions: list[Version]


class Template(Version):
    """A published version; `parameters` are what a form is drawn from.

    `reference` is what a run names it by: its name, or `project:name` for a project's own.
    """

    name: str
    project: str | None
    reference: str
    title: str
    summary: str
    parameters: dict[str, Any]
    manifest: dict[str, Any]


class Whole(Template):
    """A version with its notebook, as text."""

    notebook: str


class Templates(BaseModel):
    """The newest version of each."""

    templates: list[Template]


class Cell(BaseModel):
    """A cell that is new, gone or another; `before` and `after` count cells from 1."""

    change: str
    kind: str
    before: int | None
    after: int | None
    lines: list[str]


class Entry(BaseModel):
    """A value of the manifest that is new, gone or another."""

    change: str
    key: str
    before: Any
    after: Any


class Difference(BaseModel):
    """What changed from one version to another; empty lists where nothing did."""

    template: str
    version: str
    to: str
    cells: list[Cell]
    parameters: list[Entry]
    manifest: list[Entry]


class Schema(BaseModel):
    """JSON Schema (draft 2020-12) of the parameters of a run."""

    template: str
    version: str
    json_schema: dict[str, Any]


def version(row: t.Template) -> Version:
    """Fill one version."""
    return Version(**_version(row))


def template(row: t.Template) -> Template:
    """Fill a template."""
    return Template(**_template(row))


def whole(row: t.Template) -> Whole:
    """Fill a template with its notebook."""
    return Whole(**_template(row), notebook=row.notebook)


def difference(before: t.Template, after: t.Template) -> Difference:
    """Compare two versions."""
    found = differences.between(before, after)
    return Difference(
        template=before.reference,
        version=before.version,
        to=after.version,
        **dataclasses.asdict(found),
    )


def _version(row: t.Template) -> dict[str, Any]:
    ended = row.withdrawn_at and Withdrawn(
        at=row.withdrawn_at, by=row.withdrawn_by or "", reason=row.withdrawn_for or ""
    )
    return {
        "version": row.version,
        "digest": row.digest,
        "changelog": row.changelog,
        "published_by": row.published_by,
        "created_at": row.created_at,
        "withdrawn": ended,
    }


def _template(row: t.Template) -> dict[str, Any]:
    about = row.manifest["template"]
    return _version(row) | {
        "name": row.name,
        "project": row.project and row.project.name,
        "reference": row.reference,
        "title": about["title"],
        "summary": about["summary"],
        "parameters": row.manifest["parameters"],
        "manifest": row.manifest,
    }
