"""Projects: made by staff with their allocation and members, seen by their members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from ...db import capture
from ...db.tables import Allocation, Dataset, Project, ProjectMember
from ...errors import BadInput, Conflict
from .. import journal, names, policy
from ..actor import Actor
from ..people import members, teams
from . import vocabulary


@dataclass(frozen=True, slots=True)
class Wanted:
    """A project to make: `limit` in bytes, `people` person -> role, `leaders` of the team."""

    name: str
    team: str
    title: str
    limit: int
    people: Mapping[str, str]
    leaders: Sequence[str] = ()


def create(session: Session, actor: Actor, wanted: Wanted) -> Project:
    """Make a project with its team, allocation, root dataset and members, all or nothing."""
    policy.require_staff(actor)
    project = make(session, wanted)
    detail = {
        "team": wanted.team,
        "limit": wanted.limit,
        "members": dict(wanted.people),
        "leaders": list(wanted.leaders),
    }
    subject = f"project:{project.name}"
    journal.record(session, actor.name, "create project", subject, detail, project_id=project.id)
    return project


def make(session: Session, wanted: Wanted) -> Project:
    """Make it without asking who; the caller writes the journal."""
    owner = teams.called(session, wanted.team, wanted.leaders)
    name = names.slug(wanted.name, "project")
    title = names.title(wanted.title or name)
    project = Project(name=name, title=title, team_id=owner.id, state="active")
    session.add(project)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(f"there is a project {name!r} already") from None
    vocabulary.seed(session)
    session.add(Allocation(project_id=project.id, limit=nbytes(wanted.limit)))
    session.add(Dataset(project_id=project.id, path=""))
    for person, role in wanted.people.items():
        members.check(person, role)
        session.add(ProjectMember(project_id=project.id, person=person, role=role))
    session.flush()
    return project


def change(
    session: Session, actor: Actor, name: str, *, title: str | None, state: str | None
) -> Project:
    """Give the project another title (managers) or state (staff): closed, or active again.

    A closed project is read as before and takes no deposits, tags or runs.
    """
    project = policy.require(session, actor, "manager", Project, name)
    detail: dict[str, str] = {}
    if title is not None:
        project.title = detail["title"] = names.title(title)
    if state is not None:
        policy.require_staff(actor)
        _move(session, project, state)
        detail["state"] = state
    if detail:
        subject = f"project:{project.name}"
        journal.record(
            session, actor.name, "change project", subject, detail, project_id=project.id
        )
    return project


def _move(session: Session, project: Project, to: str) -> None:
    before = {"closed": "active", "active": "closed"}.get(to)
    if before is None:
        raise BadInput(f"state {to!r}: closed or active")
    session.flush()
    capture.touch(session, Project, [project.id])
    moved = session.scalar(
        update(Project)
        .where(Project.id == project.id, Project.state == before)
        .values(state=to)
        .returning(Project.id),
        execution_options={"captured": True},
    )
    session.refresh(project)
    if moved is None and project.state != to:
        raise Conflict(f"project {project.name!r} is {project.state}, it cannot become {to}")


def listing(session: Session, actor: Actor) -> list[Project]:
    """Return the projects the caller reaches, by name."""
    mine = policy.visible(actor, Project).order_by(Project.name)
    whole = (selectinload(Project.team), selectinload(Project.allocation))
    return list(session.scalars(mine.options(*whole)))


def datasets_of(
    session: Session, actor: Actor, project_ids: Sequence[int]
) -> dict[int, list[Dataset]]:
    """Return each project's datasets by path, the root ("") first."""
    chosen = policy.visible(actor, Dataset).where(Dataset.project_id.in_(project_ids))
    found: dict[int, list[Dataset]] = {number: [] for number in project_ids}
    for dataset in session.scalars(chosen.order_by(Dataset.path)):
        found[dataset.project_id].append(dataset)
    return found


def nbytes(limit: int) -> int:
    """Return a limit in bytes, or raise BadInput."""
    if not 0 <= limit < 2**60:
        raise BadInput(f"an allocation of {limit} bytes makes no sense")
    return limit
