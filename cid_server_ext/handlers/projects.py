"""Projects and their datasets."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core import policy
from ..core.catalog import datasets, projects
from ..db import tables as t
from . import project_shapes as shapes
from .base import Ask, CidHandler, endpoint


class NewProject(BaseModel):
    """A project to make; `limit` in bytes; `members` person -> role; `leaders` of a new team."""

    model_config = ConfigDict(extra="forbid")
    name: str
    team: str
    title: str = ""
    limit: int = Field(ge=0)
    leaders: list[str] = Field([], max_length=100)
    members: dict[str, str] = Field({}, max_length=500)


class ChangeProject(BaseModel):
    """Another title, by its managers; another state, by staff."""

    model_config = ConfigDict(extra="forbid")
    title: str | None = None
    state: Literal["active", "closed"] | None = None


class NewDataset(BaseModel):
    """A dataset to make, with its parents; with a query it is live and holds nothing itself."""

    model_config = ConfigDict(extra="forbid")
    path: str = Field(max_length=1000)
    query: str | None = Field(None, max_length=2000)


class Projects(CidHandler):
    """projects."""

    @endpoint("The projects I reach", who="anyone", answer=shapes.Projects)
    def get(self, ask: Ask) -> shapes.Projects:
        """By name; a stranger gets an empty list, a run token too."""
        rows = projects.listing(ask.session, ask.actor)
        return shapes.Projects(projects=shapes.several(ask, rows))

    @endpoint("Make a project", who="staff", body=NewProject, answer=shapes.Project, status=201)
    def post(self, ask: Ask) -> shapes.Project:
        """Team, allocation and members come with it, all or nothing."""
        new = ask.body
        wanted = projects.Wanted(
            name=new.name,
            team=new.team,
            title=new.title,
            limit=new.limit,
            people=new.members,
            leaders=new.leaders,
        )
        row = projects.create(ask.session, ask.actor, wanted)
        return shapes.one(ask, row)


class Project(CidHandler):
    """projects/{project}."""

    @endpoint("One project", who="viewer", answer=shapes.Project, passing=("allocation",))
    def get(self, ask: Ask, project: str) -> shapes.Project:
        """With my role, its datasets, members and allocation."""
        return shapes.one(ask, policy.find(ask.session, ask.actor, t.Project, project))

    @endpoint("Change a project", who="manager", body=ChangeProject, answer=shapes.Project)
    def patch(self, ask: Ask, project: str) -> shapes.Project:
        """Its title; for staff also its state: a closed project is read as before and grows not."""
        new = ask.body
        row = projects.change(ask.session, ask.actor, project, title=new.title, state=new.state)
        return shapes.one(ask, row)


class Datasets(CidHandler):
    """projects/{project}/datasets."""

    @endpoint(
        "Make a dataset",
        who="contributor",
        body=NewDataset,
        answer=shapes.Dataset,
        status=201,
    )
    def post(self, ask: Ask, project: str) -> shapes.Dataset:
        """The one that is there already is as good."""
        new = ask.body
        row = datasets.create(ask.session, ask.actor, project, new.path, new.query)
        return shapes.dataset(row)
