"""How much a project or a team holds: the one answer that every screen, the API and the bill show.

Bytes are summed from the records (`holdings`); what is free is decided by the allocation's
counters. Both are the same number; where they are not, the difference is told as drift.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Allocation, Dataset, Deposit, Project, Run, Team
from .. import policy
from ..actor import Actor
from . import allocations, holdings, invoices, prices, series
from .holdings import Bytes

TERABYTE = 10**12  # bytes
MOST = 1000  # datasets or people of one answer, the largest first


@dataclass(frozen=True, slots=True)
class Usage:
    """What a project holds and may hold, in bytes; `growth` is that of 30 days.

    `linked` bytes belong to records of other projects, which are charged for them. `drift`: how
    much more the allocation has counted than there is; 0 when all is well.
    """

    project: str
    title: str
    team: str
    limit: int
    soft: int | None
    held: Bytes
    linked: int
    reserved: int
    free: int
    state: str
    growth: int | None
    days_to_full: int | None
    drift: int


@dataclass(frozen=True, slots=True)
class TeamUsage:
    """The sums of a team's projects, each record counted once.

    `linked`: bytes of records linked in from projects of other teams, not part of the sums.
    """

    team: str
    title: str
    limit: int
    held: Bytes
    linked: int
    reserved: int
    free: int
    projects: tuple[Usage, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A dataset's or a person's part of what a project holds.

    `saves`: what a year in the archive would cost less than online, at today's prices.
    """

    name: str
    held: Bytes
    uid: str | None = None
    saves: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """A project's counters beside what they should be."""

    project: str
    used: int
    held: int
    reserved: int
    promised: int


def of_project(session: Session, actor: Actor, name: str) -> tuple[Project, Usage]:
    """Return a project that the caller sees and its usage, or raise NotFound."""
    project = policy.find(session, actor, Project, name)
    [(_, usage)] = _usages(session, Project.id == project.id)
    return project, usage


def of_team(session: Session, actor: Actor, name: str) -> TeamUsage:
    """Return the usage of a team, for its leaders and staff."""
    team = policy.require_leader(session, actor, name)
    [usage] = _of_teams(session, [team], Project.team_id == team.id)
    return usage


def of_all(session: Session, actor: Actor) -> list[TeamUsage]:
    """Return the usage of every team whose usage the caller may see: of all for staff."""
    teams = session.scalars(select(Team).where(policy.leads(actor)).order_by(Team.name)).all()
    if actor.staff:
        return _of_teams(session, teams, None)
    return _of_teams(session, teams, Project.team_id.in_([team.id for team in teams]))


def datasets(session: Session, project: Project) -> list[Share]:
    """Return the project's bytes by dataset, the largest first, at most 1000 of them."""
    held = holdings.by_dataset(session, Project.id == project.id).get(project.id, {})
    largest = sorted(held.items(), key=lambda item: (-item[1].used - item[1].archived, item[0]))
    rows = {
        row.id: row
        for row in session.execute(
            select(Dataset.id, Dataset.uid, Dataset.path).where(Dataset.project_id == project.id)
        )
    }
    less = _archive_saves(session, project)
    return [
        Share(
            rows[key].path,
            part,
            rows[key].uid,
            None if less is None else invoices.cents(part.used * less / TERABYTE),
        )
        for key, part in largest[:MOST]
    ]


def people(session: Session, project: Project) -> list[Share]:
    """Return the project's bytes by person, the largest first, at most 1000 of them."""
    held = holdings.by_person(session, project.id)
    largest = sorted(held.items(), key=lambda item: (-item[1].used - item[1].archived, item[0]))
    return [Share(person, part) for person, part in largest[:MOST]]


def check(session: Session) -> list[Count]:
    """Return the projects whose counters differ from the sums they stand for; none when well."""
    held = holdings.by_dataset(session)
    promised: dict[int, int] = {}
    for table in (Deposit, Run):
        sums = select(table.project_id, func.sum(table.reserved)).group_by(table.project_id)
        for project_id, nbytes in session.execute(sums.where(table.reserved > 0)):
            promised[project_id] = promised.get(project_id, 0) + int(nbytes)
    counts = (
        Count(
            name,
            used,
            holdings.total(held.get(project_id, {}).values()).used,
            reserved,
            promised.get(project_id, 0),
        )
        for project_id, name, used, reserved in session.execute(
            select(Project.id, Project.name, Allocation.used, Allocation.reserved)
            .join(Allocation)
            .order_by(Project.name)
        )
    )
    return [c for c in counts if (c.used, c.reserved) != (c.held, c.promised)]


def today(session: Session) -> dt.date:
    """Return the day it is, in UTC, by the database's clock."""
    return clock.now(session).date()


def _archive_saves(session: Session, project: Project) -> Decimal | None:
    """Return what a terabyte costs less in the archive, for a year; None: there are no prices."""
    day = today(session)
    lists = [known for known in prices.known(session) if known.valid_from <= day]
    if not lists:
        return None
    tariff = prices.on(day, lists).tariffs[project.team.tariff]
    return tariff["tb_year"] - tariff["archive_tb_year"]


def _of_teams(
    session: Session, teams: Sequence[Team], which: ColumnElement[bool] | None
) -> list[TeamUsage]:
    usages = _usages(session, which)
    linked = holdings.linked_in_team(session, which)
    return [
        _sum(
            team, [usage for team_id, usage in usages if team_id == team.id], linked.get(team.id, 0)
        )
        for team in teams
    ]


def _usages(session: Session, which: ColumnElement[bool] | None) -> list[tuple[int, Usage]]:
    """Return (team id, usage) of these projects, or of all, by name; no project's row is loaded."""
    held = holdings.by_dataset(session, which)
    linked = holdings.linked(session, which)
    grown = series.growth(session, today(session), which)
    asked = (
        select(Project.id, Project.name, Project.title, Team.id, Team.name, Allocation)
        .join(Team, Team.id == Project.team_id)
        .join(Allocation, Allocation.project_id == Project.id)
        .where(true() if which is None else which)
        .order_by(Project.name)
        .execution_options(populate_existing=True)
    )
    return [
        (
            team_id,
            _usage(
                (name, title, team),
                allocation,
                holdings.total(held.get(project_id, {}).values()),
                linked.get(project_id, 0),
                grown.get(project_id),
            ),
        )
        for project_id, name, title, team_id, team, allocation in session.execute(asked)
    ]


def _usage(
    names: tuple[str, str, str],
    allocation: Allocation,
    held: Bytes,
    linked: int,
    growth: int | None,
) -> Usage:
    free = allocations.room(allocation)
    return Usage(
        *names,
        limit=allocation.limit,
        soft=allocation.soft,
        held=held,
        linked=linked,
        reserved=allocation.reserved,
        free=free,
        state=allocations.state(allocation),
        growth=growth,
        days_to_full=free * series.MONTH // growth if growth and growth > 0 else None,
        drift=allocation.used - held.used,
    )


def _sum(team: Team, usages: Sequence[Usage], linked: int) -> TeamUsage:
    return TeamUsage(
        team=team.name,
        title=team.title,
        limit=sum(usage.limit for usage in usages),
        held=holdings.total(usage.held for usage in usages),
        linked=linked,
        reserved=sum(usage.reserved for usage in usages),
        free=sum(usage.free for usage in usages),
        projects=tuple(usages),
    )
