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
    Link,
    Note,
    Project,
    ProjectMember,
    Record,
    Run,
    RunInput,
    TeamMember,
)
from ..errors import NotAllowed, NotFound
from . import journal
from .actor import Actor

ROLES = ("viewer", "annotator", "contributor", "manager")

InProject = TypeVar("InProject", Project, Dataset, Record, Image, File, Note, Run, Deposit)


def reachable(actor: Actor, role: str, record: type[Any] = Project) -> ColumnElement[bool]:
    """Return the WHERE clause that keeps the rows of `record` on which `actor` has `role`.

    What is in the trash, or purged, is reached by nobody; `core.life.trash` lists it. A link lets
    the members of its project view a record; more needs the role in the record's home.
    """
    reached = _reached(actor, role, record)
    if issubclass(record, Record):
        return reached & Record.trash_id.is_(None) & Record.purged_at.is_(None)
    if record is Dataset:
        return reached & Dataset.trash_id.is_(None)
    return reached


def projects(actor: Actor, role: str = "viewer") -> Select[int]:
    """Select the ids of the projects on which `actor` has `role`; a run has none."""
    return select(Project.id).where(reachable(actor, role, Project))


def _reached(actor: Actor, role: str, record: type[Any]) -> ColumnElement[bool]:
    if actor.run_id is not None:
        return _reached_by_run(actor.run_id, role, record)
    if role != "viewer" and not actor.writes:
        return false()
    if role == "manager" and actor.guest:
        return false()
    if actor.staff:
        return true()
    mine = _projects(actor, role)
    if record is Project:
        return Project.id.in_(mine)
    if role == "viewer" and issubclass(record, Record):
        linked = select(Link.record_id).where(Link.project_id.in_(mine))
        return or_(record.project_id.in_(mine), record.id.in_(linked))
    return record.project_id.in_(mine)


def visible(actor: Actor, record: type[InProject]) -> Select[InProject]:
    """Return the SELECT that every question about `record` starts from."""
    return select(record).where(reachable(actor, "viewer", record))


def find(session: Session, actor: Actor, record: type[InProject], name: str) -> InProject:
    """Return the row called `name`, or raise NotFound: hidden and absent look the same."""
    column = Project.name if record is Project else record.uid
    row = session.scalar(visible(actor, record).where(column == name))
    if row is None:
        raise NotFound(f"no {record.__name__.lower()} {name!r} that you can see")
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
    if record in (Image, Record) and role == "viewer":
        return Record.id.in_(select(RunInput.image_id).where(RunInput.run_id == run_id))
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
        what = {type(row).__name__.lower(): row.uid}
        journal.record(session, actor.name, "staff read", subject, what, project_id=project.id)
