"""The trash of a project: thrown away, looked at, brought back, purged."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field

from ..core.catalog import records
from ..core.life import purge, trash
from ..db import tables as t
from .addresses import address
from .base import Ask, CidHandler, endpoint
from .paging import After, number, token


class ThrowAway(BaseModel):
    """Records and datasets of one project, by uid; with `force` runs that wait for them fail."""

    model_config = ConfigDict(extra="forbid")
    records: list[str] = Field([], max_length=records.MOST)
    datasets: list[str] = Field([], max_length=trash.MOST_DATASETS)
    force: bool = False


class OfProject(BaseModel):
    """Whose trash; `after` is an earlier `next`."""

    model_config = ConfigDict(extra="forbid")
    project: str
    after: After = None


class Piece(BaseModel):
    """A record in the trash; an image has a thumbnail while its bytes are there."""

    uid: str
    name: str
    kind: str
    dataset: str
    thumbnail: str | None


class Thrown(BaseModel):
    """What one step threw away: `nbytes` stay counted until `purge_at`; the first of what it is."""

    uid: str
    project: str
    what: str
    person: str
    state: str
    nbytes: int
    records: int
    first: list[Piece]
    datasets: list[str]
    created_at: dt.datetime
    purge_at: dt.datetime


class AllThrown(BaseModel):
    """A page of a project's trash, newest first; pass `next` as `after` for the following one."""

    trash: list[Thrown]
    next: str | None


class Trash(CidHandler):
    """trash."""

    @endpoint("What lies in the trash", who="viewer", query=OfProject, answer=AllThrown)
    def get(self, ask: Ask) -> AllThrown:
        """Of a project, newest first."""
        held = trash.listing(ask.session, ask.actor, ask.query.project, number(ask.query.after))
        more = held[-1].trash.id if len(held) == trash.PAGE else None
        return AllThrown(trash=[thrown(ask, one) for one in held], next=token(more))

    @endpoint("Throw away", who="contributor", body=ThrowAway, answer=Thrown, status=201)
    def post(self, ask: Ask) -> Thrown:
        """Hidden at once; it comes back as it was for 30 days."""
        new = ask.body
        row = trash.throw(ask.session, ask.actor, new.records, new.datasets, force=new.force)
        return thrown(ask, trash.look(ask.session, row))


class Restore(CidHandler):
    """trash/{trash}/restore."""

    @endpoint("Bring it back", who="contributor", answer=Thrown)
    def post(self, ask: Ask, trash: str) -> Thrown:
        """With its tags, links and notes."""
        return _restored(ask, trash)


class OneTrash(CidHandler):
    """trash/{trash}."""

    @endpoint("Purge now", who="manager", answer=Thrown)
    def delete(self, ask: Ask, trash: str) -> Thrown:
        """Its room is given back; nothing brings it back."""
        return _purged(ask, trash)


def thrown(ask: Ask, held: trash.Held) -> Thrown:
    """Fill what one step threw away."""
    row = held.trash
    return Thrown(
        uid=row.uid,
        project=row.project.name,
        what=row.what,
        person=row.person,
        state=row.state,
        nbytes=row.nbytes,
        records=held.records,
        first=[_piece(ask, record) for record in held.first],
        datasets=held.datasets,
        created_at=row.created_at,
        purge_at=row.purge_at,
    )


def _piece(ask: Ask, record: t.Record) -> Piece:
    pictured = isinstance(record, t.Image) and record.prefix
    return Piece(
        uid=record.uid,
        name=record.name,
        kind=record.kind,
        dataset=record.dataset.path,
        thumbnail=address(ask, record.prefix, "thumbnail.png") if pictured else None,
    )


def _restored(ask: Ask, uid: str) -> Thrown:
    held = trash.look(ask.session, trash.restore(ask.session, ask.actor, uid))
    return thrown(ask, held)


def _purged(ask: Ask, uid: str) -> Thrown:
    row = purge.now(ask.session, ask.actor, uid)
    ask.after.append(ask.services.purger.soon)
    return thrown(ask, trash.look(ask.session, row))
