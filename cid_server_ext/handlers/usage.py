"""How much room there is and what takes it: of a project, of a team, of all; and the limits."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field

from ..core.ledger import allocations, periods, series, usage
from ..core.ledger.holdings import Bytes
from ..db import tables as t
from .base import Ask, CidHandler, endpoint


class Limits(BaseModel):
    """Bytes that a project may hold, and from where on people are warned."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(ge=0, lt=allocations.LARGEST)
    soft: int | None = Field(None, ge=0, lt=allocations.LARGEST)


class Room(BaseModel):
    """An allocation, in bytes; `state` is ok, warning or full."""

    limit: int
    soft: int | None
    used: int
    reserved: int
    free: int
    state: str


class Since(BaseModel):
    """The days of the series, both in it; the last 365 when nothing is said."""

    model_config = ConfigDict(extra="forbid")
    first: dt.date | None = Field(None, alias="from")
    last: dt.date | None = Field(None, alias="to")


class Held(BaseModel):
    """Bytes by where they lie; `used` is online and trashed, and counts against the limit."""

    used: int
    online: int
    trashed: int
    archived: int


class Project(Held):
    """A project's room. `linked` bytes are charged elsewhere; `growth` is bytes in 30 days.

    `drift` is 0, or staff has to look.
    """

    project: str
    title: str
    team: str
    limit: int
    soft: int | None
    linked: int
    reserved: int
    free: int
    state: str
    growth: int | None
    days_to_full: int | None
    drift: int


class Dataset(Held):
    """A dataset's part; `path` is "" for the project's own.

    `saves`: what a year in the archive would cost less than online, at today's prices, without VAT.
    """

    uid: str
    path: str
    saves: str | None


class Person(Held):
    """What one person brought, or whose runs made it."""

    person: str


class Day(BaseModel):
    """Bytes held at the end of a day, in UTC, and seconds of the runs that ended in it."""

    day: dt.date
    storage: int
    archive: int
    gpu: int
    cpu: int


class OfProject(Project):
    """A project's usage with its largest datasets and people, and the series for plots."""

    warning: str | None
    datasets: list[Dataset]
    people: list[Person]
    series: list[Day]


class OfTeam(Held):
    """A team's sums; `linked` bytes come from other teams' projects and are not in them."""

    team: str
    title: str
    limit: int
    linked: int
    reserved: int
    free: int
    projects: list[Project]


class OfAll(BaseModel):
    """The teams whose usage the caller may see, by name."""

    teams: list[OfTeam]


class Allocation(CidHandler):
    """projects/{project}/allocation."""

    @endpoint("Set a project's limits", who="staff", body=Limits, answer=Room)
    def put(self, ask: Ask, project: str) -> Room:
        """In bytes; without `soft` nobody is warned before it is full."""
        limits = ask.body
        row = allocations.set_limits(ask.session, ask.actor, project, limits.limit, limits.soft)
        return room(row)


class ProjectUsage(CidHandler):
    """projects/{project}/usage."""

    @endpoint("What a project holds", who="viewer", query=Since, answer=OfProject)
    def get(self, ask: Ask, project: str) -> OfProject:
        """Its sums, its datasets and people, and its days."""
        row, told = usage.of_project(ask.session, ask.actor, project)
        first, last = periods.between(ask.query.first, ask.query.last, usage.today(ask.session))
        days = series.days(ask.session, row.id, first, last)
        return OfProject(
            **_project(told).model_dump(),
            warning=allocations.warning(ask.session, row.id),
            datasets=[
                Dataset(
                    uid=part.uid,
                    path=part.name,
                    saves=None if part.saves is None else str(part.saves),
                    **_held(part.held),
                )
                for part in usage.datasets(ask.session, row)
            ],
            people=[
                Person(person=part.name, **_held(part.held))
                for part in usage.people(ask.session, row)
            ],
            series=[
                Day(day=d.day, storage=d.storage, archive=d.archive, gpu=d.gpu, cpu=d.cpu)
                for d in days
            ],
        )


class TeamUsage(CidHandler):
    """teams/{team}/usage."""

    @endpoint("What a team holds", who="leader", answer=OfTeam)
    def get(self, ask: Ask, team: str) -> OfTeam:
        """Its sums and its projects; each record once."""
        return _team(usage.of_team(ask.session, ask.actor, team))


class AllUsage(CidHandler):
    """usage."""

    @endpoint("What all teams hold", who="anyone", answer=OfAll)
    def get(self, ask: Ask) -> OfAll:
        """For staff; a leader gets his own teams, everybody else an empty list."""
        return OfAll(teams=[_team(team) for team in usage.of_all(ask.session, ask.actor)])


def room(row: t.Allocation) -> Room:
    """Fill an allocation."""
    return Room(
        limit=row.limit,
        soft=row.soft,
        used=row.used,
        reserved=row.reserved,
        free=allocations.room(row),
        state=allocations.state(row),
    )


def _held(held: Bytes) -> dict[str, int]:
    return {
        "used": held.used,
        "online": held.online,
        "trashed": held.trashed,
        "archived": held.archived,
    }


def _project(told: usage.Usage) -> Project:
    return Project(
        **_held(told.held),
        project=told.project,
        title=told.title,
        team=told.team,
        limit=told.limit,
        soft=told.soft,
        linked=told.linked,
        reserved=told.reserved,
        free=told.free,
        state=told.state,
        growth=told.growth,
        days_to_full=told.days_to_full,
        drift=told.drift,
    )


def _team(told: usage.TeamUsage) -> OfTeam:
    return OfTeam(
        **_held(told.held),
        team=told.team,
        title=told.title,
        limit=told.limit,
        linked=told.linked,
        reserved=told.reserved,
        free=told.free,
        projects=[_project(project) for project in told.projects],
    )
