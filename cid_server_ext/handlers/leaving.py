"""What a person has, and handing it over when they leave."""

from __future__ import annotations

import dataclasses
import datetime as dt

from pydantic import BaseModel, ConfigDict, Field

from ..core.people import belongings, leaving
from .base import Ask, CidHandler, endpoint


class GiveTo(BaseModel):
    """Who gets what only the leaver reads, manages or leads; `end`: the leaver's rights end."""

    model_config = ConfigDict(extra="forbid")
    to: str = Field(min_length=1, max_length=120)
    end: bool = False


class Place(BaseModel):
    """A membership of a project or team."""

    name: str
    role: str
    ends_at: dt.datetime | None


class Thing(BaseModel):
    """One thing, the project it is in, and what it says."""

    uid: str
    project: str
    text: str


class Listed(BaseModel):
    """How many, and the newest of them."""

    total: int
    newest: list[Thing]


class Belongings(BaseModel):
    """`only_*` name the projects and teams that nobody else reads, manages or leads.

    `records` and `nbytes` count what the person deposited.
    """

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


class Handover(BaseModel):
    """Which projects and teams were given; how many memberships ended, and requests with them.

    `subscriptions` go on in the name of `to`, `paused` wait for whoever may run them.
    """

    person: str
    to: str
    projects: list[str]
    teams: list[str]
    ended: int
    withdrawn: int
    subscriptions: int
    paused: int


class HasWhat(CidHandler):
    """people/{person}/belongings."""

    @endpoint("What a person has", who="self", answer=Belongings)
    def get(self, ask: Ask, person: str) -> Belongings:
        """For the person and for staff."""
        found = belongings.of(ask.session, ask.actor, person)
        return Belongings(**dataclasses.asdict(found))


class HandOver(CidHandler):
    """people/{person}/handover."""

    @endpoint("Hand over what a person has", who="staff", body=GiveTo, answer=Handover)
    def post(self, ask: Ask, person: str) -> Handover:
        """One step, which can be undone."""
        new = ask.body
        done = leaving.hand_over(ask.session, ask.actor, person, new.to, end=new.end)
        return Handover(**dataclasses.asdict(done))
