"""Who may do what. The only module that decides, and it decides with queries.

A role includes the ones before it: viewer, annotator, contributor, manager. A team's leader is
manager of all its projects; staff is manager everywhere, and its reading of a project it is no
member of is logged. A guest never manages. A run reaches its inputs and itself.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, case, false, func, literal, or_, select, true
from sqlalchemy.orm import Session

from ..db.tables import (
    Dataset,
    Deposit,
    File,
    Image,
    Project,
    ProjectMember,
    Run,
    RunInput,
    TeamMember,
)
from ..errors import NotAllowed, NotFound
from . import journal
from .actor import Actor

ROLES = ("viewer", "annotator", "contributor", "manager")

InProject = TypeVar("InProject", Project, Dataset, Image, File, Run, Deposit)


def reachable(actor: Actor, role: str, record: type[Any] = Project) -> ColumnElement[bool]:
    """Return the WHERE clause that keeps the rows of `record` on which `actor` has `role`."""
    if actor.run_id is not None:
        return _reached_by_run(actor.run_id, role, record)
    if role != "viewer" and not actor.writes:
        return false()
    if role == "manager" and actor.guest:
        return false()
    if actor.staff:
        return true()
    project = Project.id if record is Project else record.project_id
    return project.in_(_projects(actor, role))


def visible(actor: Actor, record: type[InProject]) -> Select[InProject]:
    """Return the SELECT that every question about `record` starts from."""
    return select(record).where(reachable(actor, "viewer", record))


def find(session: Session, actor: Actor, record: type[InProject], name: str) -> InProject:
    """Return the row called `name`, or raise NotFound: hidden and absent look the same."""
    column = Project.name if record is Project else record.uid
    row = session.scalar(visible(actor, record).where(column == name))
    if row is None:
        raise NotFound(f"no {record.__tablename__} {name!r} that you can see")
    if actor.staff:
        _note_staff_read(session, actor, row)
    return row


def require(
    session: Session, actor: Actor, role: str, record: type[InProject], name: str
) -> InProject:
    """Return the row if `actor` has `role` on it; NotFound when hidden, NotAllowed when not."""
    row = find(session, actor, record, name)
    allowed = select(record.id).where(record.id == row.id, reachable(actor, role, record))
    if session.scalar(allowed) is None:
        raise NotAllowed(_refusal(session, actor, role, row))
    return row


def require_staff(actor: Actor) -> None:
    """Raise NotAllowed unless the caller is facility staff and may write."""
    if not (actor.staff and actor.writes) or actor.run_id is not None:
        raise NotAllowed("only facility staff may do this")


def role_in(session: Session, actor: Actor, project: Project) -> str | None:
    """Return the highest role of `actor` in `project`, or None."""
    highest = case(*((reachable(actor, role), literal(role)) for role in reversed(ROLES)))
    return session.scalar(select(highest).where(Project.id == project.id))


def _projects(actor: Actor, role: str) -> Select[int]:
    """Select the ids of projects where the person is a member with `role`, or leads the team."""
    enough = ROLES[ROLES.index(role) :]
    member = select(ProjectMember.project_id).where(
        ProjectMember.person == actor.name,
        ProjectMember.role.in_(enough),
        or_(ProjectMember.ends_at.is_(None), ProjectMember.ends_at > func.now()),
    )
    leader = select(Project.id).where(
        Project.team_id.in_(
            select(TeamMember.team_id).where(
                TeamMember.person == actor.name,
                TeamMember.role == "leader",
                or_(TeamMember.ends_at.is_(None), TeamMember.ends_at > func.now()),
            )
        )
    )
    return select(member.union(leader).subquery().c[0])


def _reached_by_run(run_id: int, role: str, record: type[Any]) -> ColumnElement[bool]:
    if record is Run:
        return Run.id == run_id
    if record is Deposit:
        return Deposit.run_id == run_id
    if record is Image and role == "viewer":
        return Image.id.in_(select(RunInput.image_id).where(RunInput.run_id == run_id))
    return false()


def _refusal(session: Session, actor: Actor, role: str, row: Any) -> str:
    if actor.run_id is not None:
        return "a run token opens this run's inputs and output, nothing else"
    if not actor.writes:
        return "your token may only read: ask for one with the scope custom:cid:write"
    project = row if isinstance(row, Project) else row.project
    have = role_in(session, actor, project)
    return f"this needs the role {role} in project {project.name!r}; you are {have}"


def _note_staff_read(session: Session, actor: Actor, row: Any) -> None:
    project = row if isinstance(row, Project) else row.project
    member = session.get(ProjectMember, (project.id, actor.name))
    if member is None:
        subject = f"project:{project.name}"
        journal.record(session, actor.name, "staff read", subject, {row.__tablename__: row.uid})
