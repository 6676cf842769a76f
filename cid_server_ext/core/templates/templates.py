"""Templates: published, immutable versions of parameterised notebooks; promoted, withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Project, Template
from ...errors import BadInput, Conflict, NotAllowed
from .. import journal, policy
from ..actor import Actor
from ..notices import withdrawn
from . import manifest as manifests
from . import notebooks, seals
from .shelf import listing as listing
from .shelf import named as named
from .shelf import newest as newest
from .shelf import of_project as of_project
from .shelf import version as version
from .shelf import versions as versions

LONGEST = 4000  # characters of a changelog, or of a reason


def publish(
    session: Session,
    actor: Actor,
    raw: dict[str, Any],
    notebook: str,
    changelog: str = "",
    project: str | None = None,
) -> Template:
    """Publish one version, the facility's (staff) or a project's (its contributors).

    The same content again is that version, other content a Conflict. From the second version on it
    says what changed.
    """
    new = _New(raw, notebook, changelog)
    if project is None:
        policy.require_staff(actor)
        return _add(session, actor, new, None)
    home = policy.require(session, actor, "contributor", Project, project)
    if actor.run_id is not None:
        raise NotAllowed("a run token publishes nothing")
    return _add(session, actor, new, home)


def promote(session: Session, actor: Actor, reference: str, changelog: str = "") -> Template:
    """Publish a version of a project's template as the facility's too. Staff may."""
    policy.require_staff(actor)
    found = named(session, actor, reference)
    if found.project is None:
        raise BadInput(f"{found.name} is the facility's already: name project:template")
    if found.withdrawn_at is not None:
        raise Conflict(f"{found.reference} {found.version} is withdrawn: publish another version")
    seals.require_whole(found)
    new = _New(found.manifest, found.notebook, changelog or found.changelog, found)
    return _add(session, actor, new, None)


def withdraw(session: Session, actor: Actor, reference: str, number: str, why: str) -> Template:
    """Let nobody run a version any more; its runs keep it. Again it changes nothing.

    Staff may; of a project's template its publisher, while he is contributor, and managers.
    """
    found = version(session, actor, reference, number)
    _require_owner(session, actor, found)
    reason = _told(why, "reason")
    if not reason:
        raise BadInput("reason: say why, for those who used it")
    if found.withdrawn_at is not None:
        return found
    found.withdrawn_at, found.withdrawn_by = clock.now(session), actor.name
    found.withdrawn_for = reason
    detail = {"digest": found.digest, "reason": reason}
    _say(session, actor, "withdraw template", found, detail)
    withdrawn.told(session, found, reason)
    session.flush()
    return found


@dataclass(frozen=True, slots=True)
class _New:
    """A version to be; `source` is the one that it is a copy of."""

    raw: dict[str, Any]
    notebook: str
    changelog: str
    source: Template | None = None

    @property
    def digest(self) -> str:
        return self.source.digest if self.source else seals.digest(self.raw, self.notebook)


def _add(session: Session, actor: Actor, new: _New, home: Project | None) -> Template:
    manifest = manifests.read(new.raw)
    about, digest = manifest.template, new.digest
    before = _before(session, about.name, home)
    changelog = _told(new.changelog, "changelog")
    for known in before:
        if known.version == about.version and known.digest == digest:
            if changelog not in ("", known.changelog):
                raise Conflict(f"{about.name} {about.version} is published: its changelog stays")
            return known
        if known.version == about.version:
            raise Conflict(
                f"{about.name} {about.version} is published with other content: raise its version"
            )
    if wrong := list(notebooks.problems(manifest, new.notebook)):
        fields = [{"field": "notebook", "message": message} for message in wrong]
        raise BadInput(f"template.ipynb: {wrong[0]}", fields)
    if before and not changelog:
        raise BadInput(f"changelog: say what changed since {before[0].version}")
    kept = manifest.model_dump(mode="json")
    template = Template(
        project_id=home.id if home else None,
        name=about.name,
        version=about.version,
        digest=digest,
        seal=seals.digest(kept, new.notebook),
        manifest=kept,
        notebook=new.notebook,
        changelog=changelog,
        published_by=actor.name,
    )
    template.project = home
    session.add(template)
    session.flush()
    detail = {"digest": digest} | ({"changelog": changelog} if changelog else {})
    if new.source is not None:
        detail["from"] = new.source.reference
    _say(session, actor, "publish template", template, detail)
    return template


def _before(session: Session, name: str, home: Project | None) -> list[Template]:
    """Return the versions that there are, newest first."""
    here = Template.project_id.is_(None) if home is None else Template.project_id == home.id
    same = select(Template).where(here, Template.name == name)
    return list(session.scalars(same.order_by(Template.id.desc())))


def _require_owner(session: Session, actor: Actor, template: Template) -> None:
    if template.project is None:
        return policy.require_staff(actor)
    role = "contributor" if template.published_by == actor.name else "manager"
    policy.require(session, actor, role, Project, template.project.name)


def _told(text: str, field: str) -> str:
    clean = text.strip()
    if len(clean) > LONGEST or any(not (c.isprintable() or c in "\n\t") for c in clean):
        raise BadInput(f"{field}: up to {LONGEST} characters of plain text")
    return clean


def _say(
    session: Session, actor: Actor, action: str, template: Template, detail: dict[str, Any]
) -> None:
    subject = f"template:{template.reference}@{template.version}"
    detail = {"template": template.reference, "version": template.version, **detail}
    journal.record(session, actor.name, action, subject, detail, project_id=template.project_id)
