"""What a person has and made, before they leave: memberships, and what goes on in their name."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import Session

from ...db.tables import (
    Dataset,
    Deposit,
    Journal,
    Note,
    Project,
    ProjectMember,
    Record,
    Run,
    Subscription,
    Team,
    TeamMember,
    Template,
)
from ...errors import NotAllowed
from .. import names, policy
from ..actor import Actor
from ..runs import states
from . import alone, staff_reads

MOST = 200  # of each kind that is listed; all are counted


@dataclass(frozen=True, slots=True)
class Place:
    """A membership: in a team or a project."""

    name: str
    role: str
    ends_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Thing:
    """A live dataset, note, deposit, run or subscription, and the project it is in."""

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
    subscriptions: Listed
    records: int
    nbytes: int


def of(session: Session, actor: Actor, person: str) -> Belongings:
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
        only_reader=_names(session, alone.projects(person, policy.ROLES)),
        only_manager=_names(session, alone.projects(person, ("manager",))),
        only_leader=[team.name for team in session.scalars(alone.teams(person))],
        live_datasets=_listed(session, actor, Dataset, _made_live(person), Dataset.path),
        notes=_listed(session, actor, Note, Note.person == person, func.substr(Note.text, 1, 80)),
        deposits=_listed(
            session, actor, Deposit, (Deposit.person == person) & _UNDER_WAY, Deposit.state
        ),
        runs=_listed(
            session, actor, Run, (Run.person == person) & Run.state.not_in(states.ENDED), Run.state
        ),
        subscriptions=_listed(session, actor, Subscription, _standing(person), _runs_on()),
        records=records,
        nbytes=int(nbytes),
    )


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


def _standing(person: str) -> ColumnElement[bool]:
    return (Subscription.person == person) & (Subscription.state != "ended")


def _runs_on() -> ColumnElement[str]:
    """Return the column that says what runs on what."""
    template = select(Template.name).where(Template.id == Subscription.template_id)
    search = select(Dataset.path).where(Dataset.id == Subscription.dataset_id)
    return template.scalar_subquery() + " on " + search.scalar_subquery()


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
