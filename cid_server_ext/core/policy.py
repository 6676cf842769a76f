"""Who may do what. The only module that decides, and it decides with queries.

A role includes the ones before it: viewer, annotator, contributor, manager. A team's leader is
manager of all its projects; staff is manager everywhere, and its reading of a project it is no
member of is logged (`people.staff_reads`). A guest has what he was invited to and never manages. A
run reaches its inputs and itself. In a closed project nobody annotates or contributes.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, joinedload

from ..db import clock
from ..db.tables import (
    UTC,
    Dataset,
    Deposit,
    File,
    Image,
    Link,
    Note,
    Project,
    ProjectMember,
    Record,
    Request,
    Run,
    RunInput,
    Subscription,
    Team,
    TeamMember,
    Template,
    Trash,
)
from ..errors import Conflict, NotAllowed, NotFound
from .actor import Actor

ROLES = ("viewer", "annotator", "contributor", "manager")
TEAM_ROLES = ("leader", "member")
WORK = ("annotator", "contributor")  # roles that change what a project holds

Found = TypeVar(
    "Found",
    Project,
    Dataset,
    Record,
    Image,
    File,
    Note,
    Run,
    Subscription,
    Deposit,
    Trash,
    Team,
    Request,
    Template,
)


def reachable(actor: Actor, role: str, record: type[Any] = Project) -> ColumnElement[bool]:
    """Return the WHERE clause that keeps the rows of `record` on which `actor` has `role`.

    What is in the trash, or purged, is reached by nobody; `core.life.trash` lists it. A link lets
    the members of its project view a record; more needs the role in the record's home. A team is
    seen by its members and managed by its leaders, a request seen by who made it.
    """
    reached = _reached(actor, role, record)
    if role in WORK and record is not Deposit:
        reached &= _open(record)
    if issubclass(record, Record):
        return reached & Record.trash_id.is_(None) & Record.purged_at.is_(None)
    if record is Dataset:
        return reached & Dataset.trash_id.is_(None)
    return reached


def granted(actor: Actor, role: str, record: type[Any] = Project) -> ColumnElement[bool]:
    """Return the WHERE clause of the right alone: closed projects and the trash are kept."""
    return _reached(actor, role, record)


@functools.lru_cache(maxsize=500)  # of the statement; what it selects is asked each time
def projects(actor: Actor, role: str = "viewer") -> Select[int]:
    """Select the ids of the projects on which `actor` has `role`; a run has none."""
    return select(Project.id).where(reachable(actor, role, Project))


def visible(actor: Actor, record: type[Found]) -> Select[Found]:
    """Return the SELECT that every question about `record` starts from."""
    return select(record).where(reachable(actor, "viewer", record))


def find(session: Session, actor: Actor, record: type[Found], name: str) -> Found:
    """Return the row called `name`, or raise NotFound: hidden and absent look the same."""
    column = record.name if issubclass(record, Project | Team) else record.uid
    row = session.scalar(visible(actor, record).where(column == name))
    if row is None:
        raise NotFound(f"no {record.__name__.lower()} {name!r} that you can see")
    return row


def require(session: Session, actor: Actor, role: str, record: type[Found], name: str) -> Found:
    """Return the row if `actor` has `role` on it; NotFound when hidden, NotAllowed when not.

    Raises Conflict when the role is there and the project is closed.
    """
    row = find(session, actor, record, name)
    allowed = select(record.id).where(record.id == row.id)
    if session.scalar(allowed.where(_reached(actor, role, record))) is None:
        raise NotAllowed(_refusal(session, actor, role, row))
    if role in WORK and session.scalar(allowed.where(_open(record))) is None:
        raise Conflict("this project is closed: nothing in it changes until staff opens it again")
    return row


def require_staff(actor: Actor) -> None:
    """Raise NotAllowed unless the caller is facility staff and may write."""
    if not (actor.staff and actor.writes) or actor.run_id is not None:
        raise NotAllowed("only facility staff may do this")


def require_staff_reads(actor: Actor) -> None:
    """Raise NotAllowed unless the caller is facility staff; a token that only reads will do."""
    if not actor.staff or actor.run_id is not None:
        raise NotAllowed("only facility staff may see this")


def leads(actor: Actor) -> ColumnElement[bool]:
    """Return the WHERE clause that keeps the teams whose usage and invoices `actor` may read."""
    if actor.run_id is not None or (actor.guest and not actor.staff):
        return false()
    return true() if actor.staff else Team.id.in_(_teams(actor, ("leader",)))


def require_leader(session: Session, actor: Actor, name: str) -> Team:
    """Return the team to its leaders and staff; NotAllowed to its members, NotFound to others."""
    team = find(session, actor, Team, name)
    if not leads_team(session, actor, team.id):
        raise NotAllowed("only leaders of this team and facility staff may see this")
    return team


def leads_team(session: Session, actor: Actor, team_id: int) -> bool:
    """Say whether `actor` may read this team's usage and invoices."""
    return session.scalar(select(Team.id).where(Team.id == team_id, leads(actor))) is not None


def role_in(session: Session, actor: Actor, project: Project) -> str | None:
    """Return the highest role of `actor` in `project`, or None."""
    return roles_in(session, actor, [project.id]).get(project.id)


def roles_in(session: Session, actor: Actor, project_ids: Sequence[int]) -> dict[int, str]:
    """Return the highest role of `actor` in each of the projects that he reaches."""
    highest = case(*((_reached(actor, role, Project), literal(role)) for role in reversed(ROLES)))
    chosen = select(Project.id, highest).where(Project.id.in_(project_ids))
    return {project_id: role for project_id, role in session.execute(chosen) if role is not None}


def places(session: Session, actor: Actor, records: Iterable[Record]) -> dict[int, Dataset]:
    """Return the dataset in which the caller finds each record that he reaches.

    It is the record's own where he reaches its home. Where he reaches it by a link only, it is the
    link's, and what he is told must not name the home. Raises NotFound: he reaches one no more.
    """
    rows = list({record.id: record for record in records}.values())
    if actor.staff or actor.run_id is not None:
        return {row.id: row.dataset for row in rows}
    homes = {row.project_id for row in rows}
    reached = set(session.scalars(projects(actor).where(Project.id.in_(homes))))
    found = {row.id: row.dataset for row in rows if row.project_id in reached}
    astray = [row.id for row in rows if row.id not in found]
    if astray:
        links = (
            select(Link)
            .where(Link.record_id.in_(astray), Link.project_id.in_(projects(actor)))
            .join(Link.dataset)
            .where(Dataset.trash_id.is_(None))
            .options(joinedload(Link.dataset).joinedload(Dataset.project))
            .order_by(Link.dataset_id.desc())
        )
        found |= {link.record_id: link.dataset for link in session.scalars(links)}
    if len(found) < len(rows):
        raise NotFound("a record of this answer is no longer yours to see: ask again")
    return found


def next_end(session: Session, actor: Actor) -> dt.datetime | None:
    """Return when the first of the caller's memberships ends by its date; None: none has one."""
    if actor.run_id is not None:
        return None
    ends: dt.datetime | None = session.scalar(_NEXT_END, {"person": actor.name})
    return ends


def _reached(actor: Actor, role: str, record: type[Any]) -> ColumnElement[bool]:
    if actor.run_id is not None:
        return _reached_by_run(actor.run_id, role, record)
    if role != "viewer" and not actor.writes:
        return false()
    if role == "manager" and actor.guest:
        return false()
    if actor.staff:
        return true()
    if record is Team:
        teams: ColumnElement[bool] = Team.id.in_(
            _teams(actor, TEAM_ROLES if role == "viewer" else ("leader",))
        )
        return teams
    if record is Request:
        asked: ColumnElement[bool] = Request.person == actor.name
        return asked
    if record is Template and role == "viewer":  # the facility's are everybody's
        return or_(Template.project_id.is_(None), Template.project_id.in_(_projects(actor, role)))
    if record is Deposit:  # seen by who may bring one
        role = max(role, "contributor", key=ROLES.index)
    mine = _projects(actor, role)
    if record is Project:
        return Project.id.in_(mine)
    home: ColumnElement[bool] = record.project_id.in_(mine)
    if role == "viewer" and issubclass(record, Record):
        linked = select(Link.record_id).join(Link.dataset)
        shown = linked.where(Link.project_id.in_(mine), Dataset.trash_id.is_(None))
        return or_(home, record.id.in_(shown))
    return home


def _projects(actor: Actor, role: str) -> Select[int]:
    """Select the ids of projects where the person is a member with `role`, or leads the team."""
    enough = ROLES[ROLES.index(role) :]
    member = select(ProjectMember.project_id).where(
        ProjectMember.person == actor.name,
        ProjectMember.role.in_(enough),
        lasts(ProjectMember),
    )
    if actor.guest:
        return member
    leader = select(Project.id).where(Project.team_id.in_(_teams(actor, ("leader",))))
    return select(member.union(leader).subquery().c[0])


def lasts(member: type[ProjectMember] | type[TeamMember]) -> ColumnElement[bool]:
    """Return the WHERE clause that keeps memberships that have not ended."""
    return or_(member.ends_at.is_(None), member.ends_at > clock.current())


def _teams(actor: Actor, roles: Sequence[str]) -> Select[int]:
    return select(TeamMember.team_id).where(
        TeamMember.person == actor.name, TeamMember.role.in_(roles), lasts(TeamMember)
    )


def _open(record: type[Any]) -> ColumnElement[bool]:
    if record is Project:
        return Project.state != "closed"
    inside: ColumnElement[bool] = record.project_id.in_(
        select(Project.id).where(Project.state != "closed")
    )
    return inside


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
    if isinstance(row, Team | Request):
        return "only leaders of this team and facility staff may do this"
    project = row if isinstance(row, Project) else row.project
    have = role_in(session, actor, project)
    if have is None:  # it is linked into a project of his: its home stays unnamed
        return f"this needs the role {role} in the project it belongs to; it is only linked here"
    return f"this needs the role {role} in project {project.name!r}; you are {have}"


_ENDS = union_all(
    *(
        select(member.ends_at).where(
            member.person == bindparam("person"), member.ends_at > clock.current()
        )
        for member in (ProjectMember, TeamMember)
    )
).subquery()
_NEXT_END = select(func.min(_ENDS.c.ends_at, type_=UTC()))
