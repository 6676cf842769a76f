"""How much room there is and what takes it: of a project, of a team, of all; and the limits."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field

from ..core import policy
from ..core.ledger import allocations, periods, series, shares, usage
from ..storage import reconciled
from . import project_shapes
from . import usage_shapes as shapes
from .base import Ask, CidHandler, endpoint


class Limits(BaseModel):
    """Bytes that a project may hold, and from where on people are warned."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(ge=0, lt=allocations.LARGEST)
    soft: int | None = Field(None, ge=0, lt=allocations.LARGEST)


class Part(BaseModel):
    """The days of the series, both in it (the last 365 when nothing is said); whose people.

    With the uid of a dataset, `people` are told of this dataset alone.
    """

    model_config = ConfigDict(extra="forbid")
    first: dt.date | None = Field(None, alias="from")
    last: dt.date | None = Field(None, alias="to")
    dataset: str | None = None


class Allocation(CidHandler):
    """projects/{project}/allocation."""

    @endpoint("Set a project's limits", who="staff", body=Limits, answer=project_shapes.Allocation)
    def put(self, ask: Ask, project: str) -> project_shapes.Allocation:
        """In bytes; without `soft` nobody is warned before it is full."""
        limits = ask.body
        row = allocations.set_limits(ask.session, ask.actor, project, limits.limit, limits.soft)
        return project_shapes.allocation(row)


class ProjectUsage(CidHandler):
    """projects/{project}/usage."""

    @endpoint("What a project holds", who="viewer", query=Part, answer=shapes.OfProject)
    def get(self, ask: Ask, project: str) -> shapes.OfProject:
        """Its sums, its datasets and people, and its days."""
        row, told = usage.of_project(ask.session, ask.actor, project)
        today = usage.today(ask.session)
        first, last = periods.between(ask.query.first, ask.query.last, today)
        days = series.days(ask.session, row.id, first, last, today, told.held)
        people = shares.people(ask.session, row, ask.query.dataset)
        return shapes.OfProject(
            **shapes.project(told, _compared(ask)).model_dump(),
            warning=allocations.warning(ask.session, row.id),
            leads=policy.leads_team(ask.session, ask.actor, row.team_id),
            datasets=[shapes.dataset(part) for part in shares.datasets(ask.session, row)],
            people=[shapes.person(part) for part in people],
            series=[shapes.day(day) for day in days],
        )


class TeamUsage(CidHandler):
    """teams/{team}/usage."""

    @endpoint("What a team holds", who="leader", answer=shapes.OfTeam)
    def get(self, ask: Ask, team: str) -> shapes.OfTeam:
        """Its sums and its projects; each record once."""
        return shapes.team(usage.of_team(ask.session, ask.actor, team), _compared(ask))


class AllUsage(CidHandler):
    """usage."""

    @endpoint("What all teams hold", who="anyone", answer=shapes.OfAll)
    def get(self, ask: Ask) -> shapes.OfAll:
        """All teams for staff, a leader's own for him; and the caller's projects in others."""
        compared = _compared(ask)
        mine = usage.of_mine(ask.session, ask.actor)
        return shapes.OfAll(
            teams=[shapes.team(one, compared) for one in usage.of_all(ask.session, ask.actor)],
            projects=[shapes.project(one, compared) for one in mine],
            storage=shapes.storage(compared) if compared and ask.actor.staff else None,
        )


def _compared(ask: Ask) -> reconciled.Reconciled | None:
    return reconciled.kept(ask.services.settings.storage)
