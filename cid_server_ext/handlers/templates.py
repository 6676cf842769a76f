"""Templates: what can be run."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from ..core.templates import templates
from . import run_shapes
from .base import Ask, CidHandler, endpoint


class Publish(BaseModel):
    """A template: its manifest as JSON and its notebook as text."""

    model_config = ConfigDict(extra="forbid")
    manifest: dict[str, Any]
    notebook: str


class Templates(CidHandler):
    """templates."""

    @endpoint("What can be run", who="anyone", answer=run_shapes.Templates)
    def get(self, ask: Ask) -> run_shapes.Templates:
        """The newest version of each, by name."""
        rows = templates.listing(ask.session, ask.actor)
        return run_shapes.Templates(templates=[run_shapes.template(row) for row in rows])

    @endpoint(
        "Publish a version",
        who="staff",
        body=Publish,
        answer=run_shapes.Template,
        status=201,
        largest=32 << 20,
    )
    def post(self, ask: Ask) -> run_shapes.Template:
        """Immutable: the same content again is the same version."""
        new = ask.body
        row = templates.publish(ask.session, ask.actor, new.manifest, new.notebook)
        ask.session.refresh(row)
        return run_shapes.template(row)


class Template(CidHandler):
    """templates/{template}."""

    @endpoint("One template", who="anyone", answer=run_shapes.Template)
    def get(self, ask: Ask, template: str) -> run_shapes.Template:
        """Its newest version, or that of `name@version`."""
        return run_shapes.template(templates.named(ask.session, ask.actor, template))
