"""Projects: made by staff with their allocation and members, seen by their members."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...db.tables import Allocation, Dataset, Project, ProjectMember
from ...errors import BadInput, Conflict
from .. import journal, names, policy
from ..actor import Actor
from ..people import members


def create(
    session: Session,
    actor: Actor,
    *,
    name: str,
    team: str,
    title: str,
    limit: int,
    leaders: list[str],
    people: dict[str, str],
) -> Project:
    """Make a project with its team, allocation, root dataset and members, all or nothing."""
    policy.require_staff(actor)
    owner = members.team_called(session, actor, names.slug(team, "team"), leaders)
    project = Project(name=names.slug(name, "project"), title=title or name, team_id=owner.id)
    session.add(project)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(f"there is a project {name!r} already") from None
    session.add(Allocation(project_id=project.id, limit=_bytes(limit)))
    session.add(Dataset(project_id=project.id, path=""))
    for person, role in people.items():
        if role not in policy.ROLES:
            raise BadInput(f"role {role!r}: one of {', '.join(policy.ROLES)}")
        session.add(ProjectMember(project_id=project.id, person=person, role=role))
    detail = {"team": team, "limit": limit, "members": people}
    journal.record(session, actor.name, "create project", f"project:{name}", detail)
    session.flush()
    return project


def listing(session: Session, actor: Actor) -> list[Project]:
    """Return the projects the caller reaches, by name."""
    return list(session.scalars(policy.visible(actor, Project).order_by(Project.name)))


def set_limit(session: Session, actor: Actor, name: str, limit: int) -> Project:
    """Change how many bytes the project may hold; less than it holds stops new deposits only."""
    policy.require_staff(actor)
    project = policy.find(session, actor, Project, name)
    project.allocation.limit = _bytes(limit)
    journal.record(session, actor.name, "set limit", f"project:{project.name}", {"limit": limit})
    return project


def datasets(session: Session, project: Project) -> list[Dataset]:
    """Return the project's datasets by path, the root ("") first."""
    of_project = select(Dataset).where(Dataset.project_id == project.id)
    return list(session.scalars(of_project.order_by(Dataset.path)))


def _bytes(limit: int) -> int:
    if not 0 <= limit < 2**60:
        raise BadInput(f"an allocation of {limit} bytes makes no sense")
    return limit
