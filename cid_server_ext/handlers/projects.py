"""Projects, their datasets and allocation."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ..core import policy
from ..core.catalog import datasets, projects
from ..db import tables as t
from . import shapes
from .base import Ask, CidHandler, endpoint


class NewProject(BaseModel):
    """A project to make; `limit` in bytes; `members` person -> role; `leaders` of a new team."""

    model_config = ConfigDict(extra="forbid")
    name: str
    team: str
    title: str = ""
    limit: int = Field(ge=0)
    leaders: list[str] = []
    members: dict[str, str] = {}


class NewDataset(BaseModel):
    """A dataset to make, with its parents."""

    model_config = ConfigDict(extra="forbid")
    path: str


class Limit(BaseModel):
    """An allocation's limit in bytes."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(ge=0)


class Projects(CidHandler):
    """projects."""

    @endpoint("The projects I reach", who="anyone", answer=shapes.Projects)
    def get(self, ask: Ask) -> shapes.Projects:
        """By name; a stranger gets an empty list, a run token too."""
        rows = projects.listing(ask.session, ask.actor)
        return shapes.Projects(projects=[shapes.project(ask, row) for row in rows])

    @endpoint("Make a project", who="staff", body=NewProject, answer=shapes.Project, status=201)
    def post(self, ask: Ask) -> shapes.Project:
        """Team, allocation and members come with it, all or nothing."""
        new = ask.body
        row = projects.create(
            ask.session,
            ask.actor,
            name=new.name,
            team=new.team,
            title=new.title,
            limit=new.limit,
            leaders=new.leaders,
            people=new.members,
        )
        return shapes.project(ask, row)


class Project(CidHandler):
    """projects/{project}."""

    @endpoint("One project", who="viewer", answer=shapes.Project)
    def get(self, ask: Ask, project: str) -> shapes.Project:
        """With my role, its datasets, members and allocation."""
        return shapes.project(ask, policy.find(ask.session, ask.actor, t.Project, project))


class Datasets(CidHandler):
    """projects/{project}/datasets."""

    @endpoint(
        "Make a dataset", who="contributor", body=NewDataset, answer=shapes.Dataset, status=201
    )
    def post(self, ask: Ask, project: str) -> shapes.Dataset:
        """The one that is there already is as good."""
        return shapes.dataset(datasets.create(ask.session, ask.actor, project, ask.body.path))


class Allocation(CidHandler):
    """projects/{project}/allocation."""

    @endpoint("Set a project's limit", who="staff", body=Limit, answer=shapes.Allocation)
    def put(self, ask: Ask, project: str) -> shapes.Allocation:
        """In bytes."""
        row = projects.set_limit(ask.session, ask.actor, project, ask.body.limit)
        return shapes.allocation(row.allocation)
