"""What the API answers about projects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pydantic import BaseModel

from ..core import policy
from ..core.catalog import projects
from ..core.ledger import allocations
from ..core.people import members
from ..db import tables as t
from .base import Ask


class Member(BaseModel):
    """A person's role in a project."""

    person: str
    role: str
    ends_at: dt.datetime | None


class Dataset(BaseModel):
    """A folder; `path` is "" for the project's own. With a `query` it is live: a saved search."""

    uid: str
    path: str
    query: str | None = None


class Allocation(BaseModel):
    """Bytes; `state` is ok, warning (past `soft`) or full."""

    limit: int
    soft: int | None
    used: int
    reserved: int
    free: int
    state: str


class Project(BaseModel):
    """A project with the caller's role in it."""

    uid: str
    name: str
    title: str
    team: str
    state: str
    role: str | None
    allocation: Allocation
    datasets: list[Dataset]
    members: list[Member]


class Projects(BaseModel):
    """The caller's projects by name."""

    projects: list[Project]


def one(ask: Ask, row: t.Project) -> Project:
    """Fill a project."""
    return several(ask, [row])[0]


def several(ask: Ask, rows: Sequence[t.Project]) -> list[Project]:
    """Fill projects, in as many queries for all of them as for one."""
    ids = [row.id for row in rows]
    roles = policy.roles_in(ask.session, ask.actor, ids)
    held = projects.datasets_of(ask.session, ask.actor, ids)
    people = members.members_of(ask.session, ids)
    return [
        Project(
            uid=row.uid,
            name=row.name,
            title=row.title,
            team=row.team.name,
            state=row.state,
            role=roles.get(row.id),
            allocation=allocation(row.allocation),
            datasets=[dataset(d) for d in held[row.id]],
            members=[
                Member(person=m.person, role=m.role, ends_at=m.ends_at) for m in people[row.id]
            ],
        )
        for row in rows
    ]


def allocation(row: t.Allocation) -> Allocation:
    """Fill an allocation."""
    return Allocation(
        limit=row.limit,
        soft=row.soft,
        used=row.used,
        reserved=row.reserved,
        free=allocations.room(row),
        state=allocations.state(row),
    )


def dataset(row: t.Dataset) -> Dataset:
    """Fill a dataset."""
    return Dataset(uid=row.uid, path=row.path, query=row.query)
