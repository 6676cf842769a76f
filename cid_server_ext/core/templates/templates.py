"""Templates: published, immutable versions of parameterised notebooks."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...db.tables import Template
from ...errors import BadInput, Conflict, NotAllowed, NotFound
from .. import journal, policy
from ..actor import Actor
from . import manifest as manifests
from . import notebooks


def publish(session: Session, actor: Actor, raw: dict[str, Any], notebook: str) -> Template:
    """Publish one version; the same content again is that version, other content a Conflict."""
    policy.require_staff(actor)
    manifest = manifests.read(raw)
    about = manifest.template
    digest = hashlib.sha256(notebooks.canonical(raw) + b"\0" + notebook.encode()).hexdigest()
    known = session.scalar(
        select(Template).where(Template.name == about.name, Template.version == about.version)
    )
    if known is not None and known.digest == digest:
        return known
    if known is not None:
        raise Conflict(
            f"{about.name} {about.version} is published with other content: raise its version"
        )
    if wrong := list(notebooks.problems(manifest, notebook)):
        fields = [{"field": "notebook", "message": message} for message in wrong]
        raise BadInput(f"template.ipynb: {wrong[0]}", fields)
    template = Template(
        name=about.name,
        version=about.version,
        digest=digest,
        manifest=manifest.model_dump(mode="json"),
        notebook=notebook,
        published_by=actor.name,
    )
    session.add(template)
    session.flush()
    subject = f"template:{about.name}@{about.version}"
    journal.record(session, actor.name, "publish template", subject, {"digest": digest})
    return template


def newest(session: Session, actor: Actor, name: str) -> Template:
    """Return the template's newest version, or raise NotFound."""
    _not_a_run(actor)
    found = session.scalar(
        select(Template).where(Template.name == name).order_by(Template.id.desc()).limit(1)
    )
    if found is None:
        raise NotFound(f"no template {name!r}: look into the list of templates")
    return found


def named(session: Session, actor: Actor, name: str) -> Template:
    """Return the template "name@version", or the newest of "name"; or raise NotFound."""
    called, _, version = name.partition("@")
    if not version:
        return newest(session, actor, called)
    _not_a_run(actor)
    that = (Template.name == called) & (Template.version == version)
    found = session.scalar(select(Template).where(that))
    if found is None:
        raise NotFound(f"no version {version!r} of a template {called!r}")
    return found


def listing(session: Session, actor: Actor) -> list[Template]:
    """Return the newest version of every template, by name."""
    _not_a_run(actor)
    latest = select(func.max(Template.id)).group_by(Template.name)
    return list(
        session.scalars(select(Template).where(Template.id.in_(latest)).order_by(Template.name))
    )


def _not_a_run(actor: Actor) -> None:
    if actor.run_id is not None:
        raise NotAllowed("a run token opens this run's inputs and output, nothing else")
