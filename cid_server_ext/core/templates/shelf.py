"""Which template is meant: by its reference, among those that the caller sees."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ...db.tables import Project, Template
from ...errors import Conflict, NotAllowed, NotFound
from .. import policy
from ..actor import Actor
from . import seals

REFERENCE = re.compile(r"(?:([^:@]+):)?([^:@]+)(?:@([^:@]+))?")


@dataclass(frozen=True, slots=True)
class Reference:
    """`name`, `name@1.2.0`, `project:name` or `project:name@1.2.0`; without a project, of all."""

    name: str
    version: str | None = None
    project: str | None = None

    def __str__(self) -> str:
        home = f"{self.project}:" if self.project else ""
        return f"{home}{self.name}" + (f"@{self.version}" if self.version else "")


def read(reference: str) -> Reference:
    """Return what a reference means, or raise NotFound."""
    parts = REFERENCE.fullmatch(reference)
    if parts is None:
        raise NotFound(f"no template {reference!r}: write name, name@1.2.0 or project:name")
    return Reference(parts[2], parts[3], parts[1])


def named(session: Session, actor: Actor, reference: str) -> Template:
    """Return the version that is meant, withdrawn or not; or raise NotFound.

    Without a version it is the newest that is not withdrawn, or the newest of all. A template of a
    project is there for those who see the project.
    """
    asked = read(reference)
    query = versions_of(actor, asked)
    if asked.version is not None:
        query = query.where(Template.version == asked.version)
    last = query.order_by(Template.withdrawn_at.is_not(None), Template.id.desc()).limit(1)
    found = session.scalar(last)
    if found is None:
        raise NotFound(f"no template {reference!r}: look into the list of templates")
    return found


def newest(session: Session, actor: Actor, reference: str) -> Template:
    """Return the version that a new run takes, or raise NotFound, or Conflict: withdrawn."""
    found = named(session, actor, reference)
    seals.require_whole(found)
    if found.withdrawn_at is None:
        return found
    other = named(session, actor, str(Reference(found.name, None, read(reference).project)))
    instead = "there is no other version"
    if other.withdrawn_at is None:
        instead = f"take {other.reference}@{other.version}"
    what = f"template {found.reference} {found.version}"
    raise Conflict(f"{what} is withdrawn ({found.withdrawn_for}): {instead}")


def listing(session: Session, actor: Actor, project: str | None = None) -> list[Template]:
    """Return the newest version of every template that the caller sees, by name.

    The facility's come first, then those of projects, or of the one that is named; withdrawn
    versions are left out.
    """
    query = _seen(actor).where(Template.withdrawn_at.is_(None)).outerjoin(Template.project)
    if project is not None:
        row = policy.find(session, actor, Project, project)
        query = query.where(Template.project_id == row.id)
    latest = query.with_only_columns(func.max(Template.id)).order_by(None)
    latest = latest.group_by(Template.project_id, Template.name)
    chosen = select(Template).where(Template.id.in_(latest)).outerjoin(Template.project)
    order = (Project.name.is_not(None), Project.name, Template.name)
    return list(session.scalars(chosen.order_by(*order)))


def versions(session: Session, actor: Actor, reference: str) -> list[Template]:
    """Return every version of a template, newest first, or raise NotFound."""
    named(session, actor, reference)
    asked = read(reference)
    return list(session.scalars(versions_of(actor, asked).order_by(Template.id.desc())))


def version(session: Session, actor: Actor, reference: str, number: str) -> Template:
    """Return one version of a template, or raise NotFound."""
    asked = read(reference)
    if asked.version not in (None, number):
        raise NotFound(f"no version {number!r} of {reference!r}")
    exact = versions_of(actor, asked).where(Template.version == number)
    found = session.scalar(exact)
    if found is None:
        raise NotFound(f"no version {number!r} of a template {reference!r}")
    return found


def versions_of(actor: Actor, asked: Reference) -> Select[Template]:
    """Select the versions of a template that the caller sees."""
    query = _seen(actor).where(Template.name == asked.name)
    if asked.project is None:
        return query.where(Template.project_id.is_(None))
    return query.join(Template.project).where(Project.name == asked.project)


def of_project(template: Template, project_id: int) -> bool:
    """Say whether the template may run on a project's images: the facility's on all."""
    return template.project_id is None or template.project_id == project_id


def _seen(actor: Actor) -> Select[Template]:
    if actor.run_id is not None:
        raise NotAllowed("a run token opens this run's inputs and output, nothing else")
    return policy.visible(actor, Template)
