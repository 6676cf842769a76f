"""People leave, data stays: what only they reach is listed, and handed over in one step.

Data belongs to its project and keeps who made it. What can be lost is the way to it: a project
that nobody else reads or manages any more.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import (
    Dataset,
    Deposit,
    Journal,
    Note,
    Project,
    ProjectMember,
    Record,
    Run,
    Team,
    TeamMember,
)
from ...errors import BadInput, NotAllowed
from .. import journal, names, policy
from ..actor import Actor
from ..runs import states
from . import requests, staff_reads

MOST = 200  # of each kind that is listed; all are counted


@dataclass(frozen=True, slots=True)
class Place:
    """A membership: in a team or a project."""

    name: str
    role: str
    ends_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Thing:
    """A live dataset, note, deposit or run, and the project it is in."""

    uid: str
    project: str
    text: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The newest of some things, and how many there are."""

    total: int
    newest: list[Thing]


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a person has, makes and made. `only_reader`, `only_manager`: names of projects."""

    person: str
    projects: list[Place]
    teams: list[Place]
    only_reader: list[str]
    only_manager: list[str]
    only_leader: list[str]
    live_datasets: Listed
    notes: Listed
    deposits: Listed
    runs: Listed
    records: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Handover:
    """What was handed over: projects and teams the other was given, and what ended.

    `withdrawn`: how many requests of theirs waited for an answer.
    """

    person: str
    to: str
    projects: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    ended: int = 0
    withdrawn: int = 0


def belongings(session: Session, actor: Actor, person: str) -> Belongings:
    """Return what a person has. Staff may see anybody's, everybody their own."""
    names.person(person)
    if actor.run_id is not None or not (actor.staff or actor.name == person):
        raise NotAllowed("what a person has is seen by the person and by facility staff")
    made = and_(Record.created_by == person, Record.purged_at.is_(None))
    seen = policy.reachable(actor, "viewer", Project)
    mine = select(func.count(), func.coalesce(func.sum(Record.nbytes), 0)).where(made)
    records, nbytes = session.execute(
        mine.where(Record.project_id.in_(select(Project.id).where(seen)))
    ).one()
    return Belongings(
        person=person,
        projects=_projects(session, person),
        teams=_teams(session, person),
        only_reader=_names(session, _alone(person, policy.ROLES)),
        only_manager=_names(session, _alone(person, ("manager",))),
        only_leader=[team.name for team in session.scalars(_only_leader(person))],
        live_datasets=_listed(session, actor, Dataset, _made_live(person), Dataset.path),
        notes=_listed(session, actor, Note, Note.person == person, func.substr(Note.text, 1, 80)),
        deposits=_listed(
            session, actor, Deposit, (Deposit.person == person) & _UNDER_WAY, Deposit.state
        ),
        runs=_listed(
            session, actor, Run, (Run.person == person) & Run.state.not_in(states.ENDED), Run.state
        ),
        records=records,
        nbytes=int(nbytes),
    )


def hand_over(session: Session, actor: Actor, person: str, to: str, *, end: bool) -> Handover:
    """Give `to` all that only `person` reads, manages or leads; with `end`, end his memberships.

    With `end`, requests of his that wait are withdrawn, too: nobody else asked for them. Who made
    what stays written. Deposits and runs under way are left to end by themselves. Staff may; one
    journal entry, which can be undone.
    """
    policy.require_staff(actor)
    names.person(person)
    names.person(to)
    if person == to:
        raise BadInput("to: another person than the one who leaves")
    alone = _alone(person, policy.ROLES).union(_alone(person, ("manager",)))
    projects, teams = list(session.scalars(alone)), list(session.scalars(_only_leader(person)))
    for project_id in projects:
        _give_project(session, project_id, person, to)
    for team in teams:
        leader = TeamMember(team_id=team.id, person=to, role="leader", ends_at=None)
        session.merge(leader)
    ended = _end(session, person) if end else []
    asked = requests.withdraw_all(session, actor, person) if end else []
    named = session.scalars(
        select(Project.name).where(Project.id.in_(projects)).order_by(Project.name)
    )
    done = Handover(person, to, list(named), [team.name for team in teams], len(ended), len(asked))
    if projects or teams or ended or asked:
        detail = {"to": to, "projects": done.projects, "teams": done.teams, "ended": ended}
        detail |= {"withdrawn": asked}
        journal.record(session, actor.name, "hand over", f"person:{person}", detail)
    return done


def _give_project(session: Session, project_id: int, person: str, to: str) -> None:
    """Let the other have the leaver's role there, for good, or keep a higher one that lasts."""
    have = select(ProjectMember.person, ProjectMember.role).where(
        ProjectMember.project_id == project_id,
        ProjectMember.person.in_((person, to)),
        policy.lasts(ProjectMember),
    )
    roles = {row.person: row.role for row in session.execute(have)}
    if person not in roles:
        return  # who leads its team is given the team
    role = max(roles.values(), key=policy.ROLES.index)
    session.merge(ProjectMember(project_id=project_id, person=to, role=role, ends_at=None))


def _end(session: Session, person: str) -> list[str]:
    """End every membership that lasts, now; return where."""
    now = clock.now(session)
    members = select(ProjectMember, Project.name).where(
        ProjectMember.project_id == Project.id,
        ProjectMember.person == person,
        policy.lasts(ProjectMember),
    )
    team_members = select(TeamMember, Team.name).where(
        TeamMember.team_id == Team.id, TeamMember.person == person, policy.lasts(TeamMember)
    )
    ended = []
    for member, name in session.execute(members).all():
        member.ends_at = now
        ended.append(f"project:{name}")
    for place, name in session.execute(team_members).all():
        place.ends_at = now
        ended.append(f"team:{name}")
    return sorted(ended)


def _alone(person: str, roles: tuple[str, ...]) -> Select[int]:
    """Select the ids of projects where only this person has such a role, or leads the team."""
    return select(Project.id).where(
        _has(roles, ProjectMember.person == person) | _led(TeamMember.person == person),
        ~_has(roles, ProjectMember.person != person),
        ~_led(TeamMember.person != person),
    )


def _has(roles: tuple[str, ...], who: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        ProjectMember.project_id == Project.id,
        ProjectMember.role.in_(roles),
        policy.lasts(ProjectMember),
        who,
    )


def _led(who: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        TeamMember.team_id == Project.team_id,
        TeamMember.role == "leader",
        policy.lasts(TeamMember),
        who,
    )


def _only_leader(person: str) -> Select[Team]:
    """Select the teams that only this person leads."""

    def led(who: ColumnElement[bool]) -> ColumnElement[bool]:
        leads = TeamMember.role == "leader"
        return exists().where(TeamMember.team_id == Team.id, leads, policy.lasts(TeamMember), who)

    mine = led(TeamMember.person == person) & ~led(TeamMember.person != person)
    return select(Team).where(mine).order_by(Team.name)


def _projects(session: Session, person: str) -> list[Place]:
    chosen = (
        select(Project.name, ProjectMember.role, ProjectMember.ends_at)
        .join(ProjectMember, ProjectMember.project_id == Project.id)
        .where(ProjectMember.person == person)
    )
    return [Place(*row) for row in session.execute(chosen.order_by(Project.name))]


def _teams(session: Session, person: str) -> list[Place]:
    chosen = (
        select(Team.name, TeamMember.role, TeamMember.ends_at)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .where(TeamMember.person == person)
    )
    return [Place(*row) for row in session.execute(chosen.order_by(Team.name))]


def _names(session: Session, project_ids: Select[int]) -> list[str]:
    chosen = select(Project.name).where(Project.id.in_(project_ids)).order_by(Project.name)
    return list(session.scalars(chosen))


def _made_live(person: str) -> ColumnElement[bool]:
    """Return the WHERE clause of live datasets that the journal says this person made."""
    made = exists().where(
        Journal.subject == "dataset:" + Dataset.uid,
        Journal.person == person,
        Journal.action.startswith("create"),
    )
    return Dataset.query.is_not(None) & made


def _listed(
    session: Session, actor: Actor, record: type[Any], which: ColumnElement[bool], text: Any
) -> Listed:
    seen = policy.reachable(actor, "viewer", record) & which
    total = session.scalar(select(func.count()).select_from(record).where(seen)) or 0
    chosen = select(Project.id, record.uid, Project.name, text)
    chosen = chosen.join(Project, record.project_id == Project.id).where(seen)
    newest = session.execute(chosen.order_by(record.id.desc()).limit(MOST)).all()
    staff_reads.shown(session, (row[0] for row in newest))
    return Listed(total, [Thing(*row[1:]) for row in newest])


_UNDER_WAY = Deposit.state.in_(("open", "importing"))
