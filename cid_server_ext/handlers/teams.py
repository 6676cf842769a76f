"""Teams and who belongs to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core import policy
from ..core.people import teams
from ..db import tables as t
from .base import Ask, CidHandler, endpoint
from .reading import Moment


class PutTeamMember(BaseModel):
    """A place in a team, and when it ends."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["leader", "member"] = "member"
    ends_at: Moment | None = None


class ChangeTeam(BaseModel):
    """Another title, tariff or address of the invoices."""

    model_config = ConfigDict(extra="forbid")
    title: str | None = None
    tariff: Literal["internal", "academic", "industrial"] | None = None
    address: str | None = Field(None, max_length=teams.LONGEST_ADDRESS)


class TeamMember(BaseModel):
    """A person's place in a team."""

    person: str
    role: str
    ends_at: dt.datetime | None


class Team(BaseModel):
    """A team; `projects` are those of its projects that the caller reaches."""

    uid: str
    name: str
    title: str
    tariff: str
    address: str
    members: list[TeamMember]
    projects: list[str]


class AllTeams(BaseModel):
    """Teams by name."""

    teams: list[Team]


class Teams(CidHandler):
    """teams."""

    @endpoint("The teams I belong to", who="anyone", answer=AllTeams)
    def get(self, ask: Ask) -> AllTeams:
        """For staff all of them."""
        return AllTeams(teams=_teams(ask, teams.listing(ask.session, ask.actor)))


class OneTeam(CidHandler):
    """teams/{team}."""

    @endpoint("One team", who="team", answer=Team)
    def get(self, ask: Ask, team: str) -> Team:
        """For its members and staff."""
        return _teams(ask, [policy.find(ask.session, ask.actor, t.Team, team)])[0]

    @endpoint("Change a team", who="staff", body=ChangeTeam, answer=Team)
    def patch(self, ask: Ask, team: str) -> Team:
        """Its title, tariff and address."""
        new = ask.body.model_dump(exclude_none=True)
        return _teams(ask, [teams.change(ask.session, ask.actor, team, **new)])[0]


class PlaceInTeam(CidHandler):
    """teams/{team}/members/{person}."""

    @endpoint("Put a person into a team", who="leader", body=PutTeamMember, answer=Team)
    def put(self, ask: Ask, team: str, person: str) -> Team:
        """Leaders add members; staff makes leaders."""
        new = ask.body
        row = teams.put_member(ask.session, ask.actor, team, person, new.role, new.ends_at)
        ask.session.flush()
        return _teams(ask, [row])[0]

    @endpoint("Take a person out of a team", who="leader", answer=Team)
    def delete(self, ask: Ask, team: str, person: str) -> Team:
        """Not a leader, unless staff does it."""
        row = teams.remove_member(ask.session, ask.actor, team, person)
        ask.session.flush()
        return _teams(ask, [row])[0]


def _teams(ask: Ask, rows: Sequence[t.Team]) -> list[Team]:
    ids = [row.id for row in rows]
    people = teams.members_of(ask.session, ids)
    held = teams.projects_of(ask.session, ask.actor, ids)
    return [
        Team(
            uid=row.uid,
            name=row.name,
            title=row.title,
            tariff=row.tariff,
            address=row.address,
            members=[
                TeamMember(person=m.person, role=m.role, ends_at=m.ends_at) for m in people[row.id]
            ],
            projects=held[row.id],
        )
        for row in rows
    ]
