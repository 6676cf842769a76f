"""How much a project or a team holds: the one answer that every screen, the API and the bill show.

Bytes are summed from the records (`holdings`); what is free is decided by the allocation's
counters. Both are the same number; where they are not, the difference is told as drift.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Allocation, Deposit, Project, Run, Team
from .. import policy
from ..actor import Actor
from . import allocations, holdings, savings, series
from .holdings import Bytes
from .savings import Saving

STATES = ("ok", "warning", "full")  # from good to bad


@dataclass(frozen=True, slots=True)
class Usage:
    """What a project holds and may hold, in bytes; `growth` is that of 30 days.

    `linked` bytes belong to records of other projects, which are charged for them. `drift`: how
    much more the allocation has counted than there is; 0 when all is well. `saves`: what the
    archive would, for all that is online; None without prices.
    """

    uid: str
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
    saves: Saving | None


@dataclass(frozen=True, slots=True)
class TeamUsage:
    """The sums of a team's projects, each record counted once.

    `linked`: bytes of records linked in from projects of other teams, not part of the sums.
    `state` is the worst of its projects', `days_to_full` those of the project that is full first,
    `growth` the sum where it is known.
    """

    team: str
    title: str
    limit: int
    held: Bytes
    linked: int
    reserved: int
    free: int
    state: str
    growth: int | None
    days_to_full: int | None
    projects: tuple[Usage, ...]


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


def of_mine(session: Session, actor: Actor) -> list[Usage]:
    """Return the usage of the projects that the caller reaches and whose team he does not lead."""
    led = select(Team.id).where(policy.leads(actor))
    mine = policy.reachable(actor, "viewer", Project) & Project.team_id.not_in(led)
    return [usage for _, usage in _usages(session, mine)]


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
    saves = savings.today(session)
    asked = (
        select(Project.id, Project.uid, Project.name, Project.title, Team.id, Team.name)
        .add_columns(Team.tariff, Allocation)
        .join(Team, Team.id == Project.team_id)
        .join(Allocation, Allocation.project_id == Project.id)
        .where(true() if which is None else which)
        .order_by(Project.name)
        .execution_options(populate_existing=True)
    )
    found = []
    for project_id, uid, name, title, team_id, team, tariff, allocation in session.execute(asked):
        own = holdings.total(held.get(project_id, {}).values())
        growth = grown.get(project_id)
        free = allocations.room(allocation)
        usage = Usage(
            uid=uid,
            project=name,
            title=title,
            team=team,
            limit=allocation.limit,
            soft=allocation.soft,
            held=own,
            linked=linked.get(project_id, 0),
            reserved=allocation.reserved,
            free=free,
            state=allocations.state(allocation),
            growth=growth,
            days_to_full=free * series.MONTH // growth if growth and growth > 0 else None,
            drift=allocation.used - own.used,
            saves=saves(tariff, own),
        )
        found.append((team_id, usage))
    return found


def _sum(team: Team, usages: Sequence[Usage], linked: int) -> TeamUsage:
    grown = [usage.growth for usage in usages if usage.growth is not None]
    ends = [usage.days_to_full for usage in usages if usage.days_to_full is not None]
    return TeamUsage(
        team=team.name,
        title=team.title,
        limit=sum(usage.limit for usage in usages),
        held=holdings.total(usage.held for usage in usages),
        linked=linked,
        reserved=sum(usage.reserved for usage in usages),
        free=sum(usage.free for usage in usages),
        state=max((usage.state for usage in usages), key=STATES.index, default=STATES[0]),
        growth=sum(grown) if grown else None,
        days_to_full=min(ends, default=None),
        projects=tuple(usages),
    )
