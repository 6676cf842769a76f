"""Requests for a project: asked by people, answered by staff."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core import policy
from ..core.people import requests
from ..db import tables as t
from .base import Ask, CidHandler, endpoint
from .paging import After, number, token

Size = Annotated[int, Field(ge=0, lt=2**60)]  # bytes
People = Annotated[list[str], Field(max_length=100)]


class WantedTerm(BaseModel):
    """A term of the project's vocabulary; `choices` are its declared values."""

    model_config = ConfigDict(extra="forbid")
    key: str = Field(min_length=1, max_length=80)
    type: Literal["text", "number", "date", "choice", "ontology"] = "text"
    unit: str = Field("", max_length=24)
    choices: list[str] = Field([], max_length=200)


Terms = Annotated[list[WantedTerm], Field(max_length=100)]


class NewRequest(BaseModel):
    """The project I ask for; `limit` in bytes, `members` person -> role. I will manage it."""

    model_config = ConfigDict(extra="forbid")
    name: str
    team: str
    title: str = ""
    limit: Size
    members: dict[str, str] = Field({}, max_length=200)
    terms: Terms = []
    purpose: str = Field("", max_length=requests.LONGEST)


class Approval(BaseModel):
    """What staff gives in place of what was asked for, and who leads the team."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = None
    team: str | None = None
    limit: Size | None = None
    leaders: People = []
    terms: Terms | None = None


class Refusal(BaseModel):
    """Why not."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=requests.LONGEST)


class Asked(BaseModel):
    """Which requests; `after` is an earlier page's `next`."""

    model_config = ConfigDict(extra="forbid")
    state: Literal["asked", "approved", "refused", "withdrawn"] | None = None
    limit: int = Field(50, ge=1, le=requests.PAGE)
    after: After = None


class Request(BaseModel):
    """What was asked by whom, and what came of it; `project` is its name once it is there."""

    uid: str
    person: str
    state: str
    name: str
    team: str
    title: str
    limit: int
    members: dict[str, str]
    terms: list[WantedTerm]
    purpose: str
    reason: str
    decided_by: str | None
    decided_at: dt.datetime | None
    project: str | None
    created_at: dt.datetime


class AllRequests(BaseModel):
    """A page; pass `next` as `after` for the following one."""

    requests: list[Request]
    next: str | None


class Requests(CidHandler):
    """requests."""

    @endpoint("What I asked for", who="anyone", query=Asked, answer=AllRequests)
    def get(self, ask: Ask) -> AllRequests:
        """For staff everybody's requests, newest first."""
        q = ask.query
        rows = requests.listing(
            ask.session, ask.actor, state=q.state, limit=q.limit, after=number(q.after)
        )
        more = len(rows) == q.limit
        return AllRequests(
            requests=[_request(r) for r in rows], next=token(rows[-1].id if more else None)
        )

    @endpoint("Ask for a project", who="person", body=NewRequest, answer=Request, status=201)
    def post(self, ask: Ask) -> Request:
        """Staff will answer."""
        new = ask.body
        wanted = requests.Wanted(
            name=new.name,
            team=new.team,
            title=new.title,
            limit=new.limit,
            people=new.members,
            terms=_terms(new.terms),
            purpose=new.purpose,
        )
        return _request(requests.ask(ask.session, ask.actor, wanted))


class OneRequest(CidHandler):
    """requests/{request}."""

    @endpoint("One request", who="asker", answer=Request)
    def get(self, ask: Ask, request: str) -> Request:
        """For who asked, and for staff."""
        return _request(policy.find(ask.session, ask.actor, t.Request, request))


class Approve(CidHandler):
    """requests/{request}/approve."""

    @endpoint("Make the project", who="staff", body=Approval, answer=Request)
    def post(self, ask: Ask, request: str) -> Request:
        """With team, allocation, vocabulary and members, all or nothing."""
        new = ask.body
        row = requests.approve(
            ask.session,
            ask.actor,
            request,
            name=new.name,
            team=new.team,
            limit=new.limit,
            leaders=new.leaders,
            new_terms=None if new.terms is None else _terms(new.terms),
        )
        return _request(row)


class Refuse(CidHandler):
    """requests/{request}/refuse."""

    @endpoint("Say no", who="staff", body=Refusal, answer=Request)
    def post(self, ask: Ask, request: str) -> Request:
        """With the reason, which the person reads."""
        return _request(requests.refuse(ask.session, ask.actor, request, ask.body.reason))


class Withdraw(CidHandler):
    """requests/{request}/withdraw."""

    @endpoint("Take my request back", who="asker", answer=Request)
    def post(self, ask: Ask, request: str) -> Request:
        """Only who made it."""
        return _request(requests.withdraw(ask.session, ask.actor, request))


def _terms(wanted: list[WantedTerm]) -> list[dict[str, Any]]:
    return [
        {"key": term.key, "type": term.type, "unit": term.unit, "values": term.choices}
        for term in wanted
    ]


def _request(row: t.Request) -> Request:
    wanted: Mapping[str, Any] = row.wanted
    return Request(
        uid=row.uid,
        person=row.person,
        state=row.state,
        name=wanted["name"],
        team=wanted["team"],
        title=wanted["title"],
        limit=wanted["limit"],
        members=wanted["members"],
        terms=[
            WantedTerm(key=w["key"], type=w["type"], unit=w["unit"], choices=w["values"])
            for w in wanted["terms"]
        ],
        purpose=wanted["purpose"],
        reason=row.reason,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        project=row.project and row.project.name,
        created_at=row.created_at,
    )
