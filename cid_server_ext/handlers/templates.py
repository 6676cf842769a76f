"""Templates: what can be run."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..core.templates import manifest as manifests
from ..core.templates import schema, templates
from . import template_shapes as shapes
from .base import Ask, CidHandler, endpoint


class Publish(BaseModel):
    """A template: its manifest as JSON, its notebook as text, and what changed with it.

    `project`: it is that project's own.
    """

    model_config = ConfigDict(extra="forbid")
    manifest: dict[str, Any]
    notebook: str
    changelog: str = ""
    project: str | None = None


class Asked(BaseModel):
    """Which templates: those of one project."""

    model_config = ConfigDict(extra="forbid")
    project: str | None = None


class To(BaseModel):
    """The version to compare with; the newest when none is named."""

    model_config = ConfigDict(extra="forbid")
    to: str | None = None


class Withdraw(BaseModel):
    """Why nobody shall run it any more."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1)


class Promote(BaseModel):
    """What changed with it, where the project's own changelog does not say it well."""

    model_config = ConfigDict(extra="forbid")
    changelog: str = ""


class Templates(CidHandler):
    """templates."""

    @endpoint("What can be run", who="anyone", query=Asked, answer=shapes.Templates)
    def get(self, ask: Ask) -> shapes.Templates:
        """The newest version of each, by name: the facility's, then those of my projects."""
        rows = templates.listing(ask.session, ask.actor, ask.query.project)
        return shapes.Templates(templates=[shapes.template(row) for row in rows])

    @endpoint(
        "Publish a version",
        who="staff",
        body=Publish,
        answer=shapes.Template,
        status=201,
        largest=32 << 20,
    )
    def post(self, ask: Ask) -> shapes.Template:
        """Immutable: the same content again is the same version.

        Contributors of a project publish to their own project.
        """
        new = ask.body
        row = templates.publish(
            ask.session, ask.actor, new.manifest, new.notebook, new.changelog, new.project
        )
        ask.session.refresh(row)
        return shapes.template(row)


class Template(CidHandler):
    """templates/{template}."""

    @endpoint("One template", who="anyone", answer=shapes.Template)
    def get(self, ask: Ask, template: str) -> shapes.Template:
        """Its newest version, or that of `name@version`; a project's own is `project:name`."""
        return shapes.template(templates.named(ask.session, ask.actor, template))


class Schema(CidHandler):
    """templates/{template}/schema."""

    @endpoint("Its parameters as JSON Schema", who="anyone", answer=shapes.Schema)
    def get(self, ask: Ask, template: str) -> shapes.Schema:
        """What it takes is what a run takes."""
        row = templates.named(ask.session, ask.actor, template)
        told = schema.of(manifests.read(row.manifest))
        return shapes.Schema(template=row.reference, version=row.version, json_schema=told)


class Versions(CidHandler):
    """templates/{template}/versions."""

    @endpoint("All versions of a template", who="anyone", answer=shapes.Versions)
    def get(self, ask: Ask, template: str) -> shapes.Versions:
        """Newest first, with what changed; withdrawn ones say why."""
        rows = templates.versions(ask.session, ask.actor, template)
        told = [shapes.version(row) for row in rows]
        return shapes.Versions(template=rows[0].reference, versions=told)


class Version(CidHandler):
    """templates/{template}/versions/{number}."""

    @endpoint("One version, with its notebook", who="anyone", answer=shapes.Whole)
    def get(self, ask: Ask, template: str, number: str) -> shapes.Whole:
        """It never changes, but for being withdrawn."""
        return shapes.whole(templates.version(ask.session, ask.actor, template, number))


class Difference(CidHandler):
    """templates/{template}/versions/{number}/diff."""

    @endpoint("What changed to another version", who="anyone", query=To, answer=shapes.Difference)
    def get(self, ask: Ask, template: str, number: str) -> shapes.Difference:
        """Cell by cell, parameter by parameter, key by key of the manifest."""
        before = templates.version(ask.session, ask.actor, template, number)
        name, to = template.partition("@")[0], ask.query.to
        after = templates.named(ask.session, ask.actor, f"{name}@{to}" if to else name)
        return shapes.difference(before, after)


class WithdrawVersion(CidHandler):
    """templates/{template}/versions/{number}/withdraw."""

    @endpoint("Let nobody run a version", who="staff", body=Withdraw, answer=shapes.Version)
    def post(self, ask: Ask, template: str, number: str) -> shapes.Version:
        """Its runs keep it. In a project its publisher and managers may."""
        why = ask.body.reason
        row = templates.withdraw(ask.session, ask.actor, template, number, why)
        return shapes.version(row)


class PromoteTemplate(CidHandler):
    """templates/{template}/promote."""

    @endpoint(
        "Make a project's template the facility's",
        who="staff",
        body=Promote,
        answer=shapes.Template,
        status=201,
    )
    def post(self, ask: Ask, template: str) -> shapes.Template:
        """The same version with the same content; the project keeps its own."""
        row = templates.promote(ask.session, ask.actor, template, ask.body.changelog)
        ask.session.refresh(row)
        return shapes.template(row)
