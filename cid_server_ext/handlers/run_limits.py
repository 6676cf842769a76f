"""What teams may have under way at a time; staff says."""

from __future__ import annotations

import dataclasses

from pydantic import BaseModel, ConfigDict, Field

from ..core import policy
from ..core.queue import limits
from ..db import tables as t
from .base import Ask, CidHandler, endpoint

Count = Field(None, ge=0, le=limits.MOST)


class Limits(BaseModel):
    """Clusters and runs at a time, of the team and of each person in it; null is no limit.

    Of two teams that wait, one with twice the share gets twice the machines. `gpu_minutes` are
    those of a month (UTC).
    """

    model_config = ConfigDict(extra="forbid")
    share: float | None = Field(None, ge=0.001, le=limits.MOST)
    batches: int | None = Count
    runs: int | None = Count
    person_batches: int | None = Count
    person_runs: int | None = Count
    gpu_minutes: int | None = Count


class TeamLimits(BaseModel):
    """What staff said of the team, what holds for it, and the GPU minutes it used this month."""

    own: Limits
    effective: Limits
    gpu_minutes_used: float


class FacilityLimits(CidHandler):
    """limits."""

    @endpoint("Limits of every team", who="staff", answer=Limits)
    def get(self, ask: Ask) -> Limits:
        """What holds for a team of which nothing else is said."""
        policy.require_staff(ask.actor)
        return _limits(limits.facility(ask.session))

    @endpoint("Set the limits of every team", who="staff", body=Limits, answer=Limits)
    def put(self, ask: Ask) -> Limits:
        """What is under way goes on."""
        new = limits.Limits(**ask.body.model_dump())
        limits.set_limits(ask.session, ask.actor, None, new)
        return _limits(limits.facility(ask.session))


class OneTeamsLimits(CidHandler):
    """teams/{team}/limits."""

    @endpoint("A team's limits", who="team", answer=TeamLimits)
    def get(self, ask: Ask, team: str) -> TeamLimits:
        """For its members and staff."""
        return _of(ask, policy.find(ask.session, ask.actor, t.Team, team))

    @endpoint("Set a team's limits", who="staff", body=Limits, answer=TeamLimits)
    def put(self, ask: Ask, team: str) -> TeamLimits:
        """Null goes by the facility's; what is under way goes on."""
        new = limits.Limits(**ask.body.model_dump())
        limits.set_limits(ask.session, ask.actor, team, new)
        return _of(ask, policy.find(ask.session, ask.actor, t.Team, team))


def _of(ask: Ask, team: t.Team) -> TeamLimits:
    return TeamLimits(
        own=_limits(limits.own(ask.session, team.id)),
        effective=_limits(limits.effective(ask.session, [team.id])[team.id]),
        gpu_minutes_used=round(limits.gpu_minutes(ask.session, [team.id])[team.id], 1),
    )


def _limits(found: limits.Limits) -> Limits:
    return Limits(**dataclasses.asdict(found))
