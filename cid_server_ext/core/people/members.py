"""Who belongs to a project, in which role, until when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Project, ProjectMember
from ...errors import BadInput, NotFound
from .. import journal, names, policy
from ..actor import Actor
from ..notices import notices


def put_member(
    session: Session,
    actor: Actor,
    project: str,
    person: str,
    role: str,
    ends_at: dt.datetime | None = None,
) -> ProjectMember:
    """Give `person` this role in the project, replacing an earlier one. Managers may."""
    row = policy.require(session, actor, "manager", Project, project)
    check(person, role)
    if person != actor.name and session.get(ProjectMember, (row.id, person)) is None:
        said = f"{actor.name} made you {role} of the project {row.title or row.name}"
        about = f"project:{row.name}"
        notices.tell(session, person, "member", about, said, project_id=row.id)
    member = session.merge(
        ProjectMember(project_id=row.id, person=person, role=role, ends_at=ends_at)
    )
    detail = {"person": person, "role": role, "ends_at": ends_at and ends_at.isoformat()}
    subject = f"project:{row.name}"
    journal.record(session, actor.name, "put member", subject, detail, project_id=row.id)
    return member


def remove_member(session: Session, actor: Actor, project: str, person: str) -> None:
    """End a person's membership; what they made stays the project's. Managers may."""
    row = policy.require(session, actor, "manager", Project, project)
    member = session.get(ProjectMember, (row.id, person))
    if member is None:
        raise NotFound(f"{person!r} is no member of {row.name!r}")
    session.delete(member)
    subject, detail = f"project:{row.name}", {"person": person}
    journal.record(session, actor.name, "remove member", subject, detail, project_id=row.id)


def members_of(session: Session, project_ids: Sequence[int]) -> dict[int, list[ProjectMember]]:
    """Return the members of each project by name, also those whose time is up."""
    found: dict[int, list[ProjectMember]] = {number: [] for number in project_ids}
    chosen = select(ProjectMember).where(ProjectMember.project_id.in_(project_ids))
    for member in session.scalars(chosen.order_by(ProjectMember.person)):
        found[member.project_id].append(member)
    return found


def check(person: str, role: str) -> None:
    """Raise BadInput unless this is a name and a role."""
    names.person(person)
    if role not in policy.ROLES:
        raise BadInput(f"role {role!r}: one of {', '.join(policy.ROLES)}")
