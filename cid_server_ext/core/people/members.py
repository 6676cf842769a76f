"""Who belongs to a team or a project, in which role, until when."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Project, ProjectMember, Team, TeamMember
from ...errors import BadInput, NotFound
from .. import journal, policy
from ..actor import Actor


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
    if role not in policy.ROLES:
        raise BadInput(f"role {role!r}: one of {', '.join(policy.ROLES)}")
    member = session.merge(
        ProjectMember(project_id=row.id, person=person, role=role, ends_at=ends_at)
    )
    detail = {"person": person, "role": role, "ends_at": ends_at and ends_at.isoformat()}
    journal.record(session, actor.name, "put member", f"project:{row.name}", detail)
    return member


def remove_member(session: Session, actor: Actor, project: str, person: str) -> None:
    """End a person's membership; what they made stays the project's. Managers may."""
    row = policy.require(session, actor, "manager", Project, project)
    member = session.get(ProjectMember, (row.id, person))
    if member is None:
        raise NotFound(f"{person!r} is no member of {row.name!r}")
    session.delete(member)
    journal.record(session, actor.name, "remove member", f"project:{row.name}", {"person": person})


def members(session: Session, project: Project) -> list[ProjectMember]:
    """Return the project's members by name."""
    of_project = select(ProjectMember).where(ProjectMember.project_id == project.id)
    return list(session.scalars(of_project.order_by(ProjectMember.person)))


def team_called(session: Session, actor: Actor, name: str, leaders: list[str]) -> Team:
    """Return the team, made if it is new; `leaders` are added to it. Staff may."""
    policy.require_staff(actor)
    team = session.scalar(select(Team).where(Team.name == name))
    if team is None:
        team = Team(name=name, title=name)
        session.add(team)
        session.flush()
        journal.record(session, actor.name, "create team", f"team:{name}")
    for person in leaders:
        session.merge(TeamMember(team_id=team.id, person=person, role="leader"))
        detail = {"person": person, "role": "leader"}
        journal.record(session, actor.name, "put team member", f"team:{name}", detail)
    return team
