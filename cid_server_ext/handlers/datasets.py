"""Datasets by their uid: read, moved, thrown away; and the links that show a record in one."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field

from ..core.catalog import datasets, links, records
from ..core.life import trash
from ..db import tables as t
from .base import Ask, CidHandler, endpoint
from .trash import Thrown, thrown


class OneDataset(BaseModel):
    """A folder, or a saved search when it has a `query`."""

    uid: str
    project: str
    path: str
    query: str | None
    created_at: dt.datetime


class ChangeDataset(BaseModel):
    """Another path, with all that lies below; another project; what a live one looks for."""

    model_config = ConfigDict(extra="forbid")
    path: str | None = Field(None, max_length=1000)
    project: str | None = Field(None, max_length=80)
    query: str | None = Field(None, max_length=2000)


class Shown(BaseModel):
    """A record in a dataset that is not its own."""

    dataset: str
    record: str


class MoveRecords(BaseModel):
    """Records to put into a dataset."""

    model_config = ConfigDict(extra="forbid")
    records: list[str] = Field(min_length=1, max_length=records.MOST)
    dataset: str


class Moved(BaseModel):
    """The records that lie elsewhere now."""

    moved: list[str]


class Dataset(CidHandler):
    """datasets/{dataset}."""

    @endpoint("One dataset", who="viewer", answer=OneDataset)
    def get(self, ask: Ask, dataset: str) -> OneDataset:
        """Its project, path, and query if it is live."""
        return _shape(datasets.get(ask.session, ask.actor, dataset))

    @endpoint("Move a dataset", who="contributor", body=ChangeDataset, answer=OneDataset)
    def patch(self, ask: Ask, dataset: str) -> OneDataset:
        """What lies below follows; in another project the bytes are charged there."""
        new = ask.body
        row = datasets.change(
            ask.session, ask.actor, dataset, path=new.path, project=new.project, query=new.query
        )
        return _shape(row)

    @endpoint("Throw a dataset away", who="contributor", answer=Thrown)
    def delete(self, ask: Ask, dataset: str) -> Thrown:
        """With all below it, into the trash."""
        row = trash.throw(ask.session, ask.actor, [], [dataset])
        return thrown(ask, trash.look(ask.session, row))


class Link(CidHandler):
    """datasets/{dataset}/links/{record}."""

    @endpoint("Show a record in a second dataset", who="contributor", answer=Shown)
    def put(self, ask: Ask, dataset: str, record: str) -> Shown:
        """Without a copy; it is charged to its home only."""
        links.put(ask.session, ask.actor, dataset, record)
        return Shown(dataset=dataset, record=record)

    @endpoint("Show it there no more", who="contributor", answer=Shown)
    def delete(self, ask: Ask, dataset: str, record: str) -> Shown:
        """The record stays where it lies."""
        links.remove(ask.session, ask.actor, dataset, record)
        return Shown(dataset=dataset, record=record)


class Move(CidHandler):
    """records/move."""

    @endpoint("Put records into a dataset", who="contributor", body=MoveRecords, answer=Moved)
    def post(self, ask: Ask) -> Moved:
        """All or none; those that lie there already stay."""
        rows = records.move(ask.session, ask.actor, ask.body.records, ask.body.dataset)
        return Moved(moved=[row.uid for row in rows])


def _shape(row: t.Dataset) -> OneDataset:
    return OneDataset(
        uid=row.uid,
        project=row.project.name,
        path=row.path,
        query=row.query,
        created_at=row.created_at,
    )
