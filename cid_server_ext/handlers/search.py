"""Search over records of any kind: pages, counts, facets, completion."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field

from ..core import policy
from ..core.catalog import images
from ..core.search import complete, facets, find
from ..core.search.language import KINDS
from ..core.search.parser import LONGEST
from ..db import tables as t
from ..errors import BadInput
from . import shapes
from .addresses import address
from .base import Ask, CidHandler, endpoint


class Question(BaseModel):
    """`q` in the query language, maybe inside a project and a dataset with what lies in it."""

    model_config = ConfigDict(extra="forbid")
    q: str = ""
    project: str | None = None
    dataset: str | None = None
    kind: str | None = None

    def asked(self, kinds: frozenset[str], **more: object) -> find.Asked:
        """Return it as the core takes it, about records of these kinds."""
        if self.kind is not None and self.kind not in kinds:
            known = ", ".join(kind for kind in KINDS if kind in kinds)
            raise BadInput(f"kind: one of {known}")
        only = kinds if self.kind is None else frozenset({self.kind})
        return find.Asked(self.q, self.project, self.dataset, only, **more)  # type: ignore[arg-type]


class Paged(Question):
    """A page of the answers; `after` is an earlier page's `next`, with the same `sort`."""

    sort: str = Field("newest", max_length=120)
    limit: int = Field(50, ge=1, le=find.PAGE)
    after: str | None = Field(None, max_length=2000)

    def asked(self, kinds: frozenset[str], **more: object) -> find.Asked:
        """Return it as the core takes it, about records of these kinds."""
        return super().asked(kinds, sort=self.sort, limit=self.limit, after=self.after)


class Wanted(Question):
    """`keys`: for which keys, several times or with commas."""

    keys: list[str] = Field(min_length=1, max_length=facets.MOST_KEYS)


class Typed(BaseModel):
    """`q`: what has been typed so far."""

    model_config = ConfigDict(extra="forbid")
    q: str = Field("", max_length=LONGEST)


class Most(BaseModel):
    """How many."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(20, ge=1, le=facets.MOST_VALUES)


class RecordRow(BaseModel):
    """A record in a list: an image has a thumbnail, a file has none."""

    uid: str
    name: str
    kind: str
    project: str
    dataset: str
    nbytes: int
    created_by: str
    created_at: dt.datetime
    tags: list[shapes.Tag]
    thumbnail: str | None


class Records(BaseModel):
    """A page; pass `next` as `after` for the following one."""

    records: list[RecordRow]
    next: str | None


class Counted(BaseModel):
    """A number of records."""

    count: int


class Value(BaseModel):
    """A value and how many records have it."""

    value: str
    count: int


class Numbers(BaseModel):
    """Numbers of a key in one unit: seconds since 1970 where `type` is date.

    `bins` counts them from lowest to highest in steps of the same width.
    """

    unit: str
    type: str
    count: int
    lowest: float
    highest: float
    bins: list[int]


class Facet(BaseModel):
    """What a key has among the answers."""

    key: str
    values: list[Value]
    numbers: list[Numbers]


class FacetList(BaseModel):
    """One facet for each key, in the order asked."""

    facets: list[Facet]


class Completion(BaseModel):
    """`text` takes the place of what was typed from character `start` on."""

    text: str
    label: str
    start: int
    count: int | None


class Completions(BaseModel):
    """The most frequent first."""

    completions: list[Completion]


class Tagged(BaseModel):
    """A key and value, and how many records have it."""

    key: str
    value: str
    count: int


class Top(BaseModel):
    """The most frequent first."""

    tags: list[Tagged]


class RecordSearch(CidHandler):
    """records."""

    @endpoint("Find images and files", who="anyone", query=Paged, answer=Records, costly=True)
    def get(self, ask: Ask) -> Records:
        """Only what the caller reaches."""
        page = images.search(ask.session, ask.actor, ask.query.asked(find.ANY))
        places = policy.places(ask.session, ask.actor, page.rows)
        tags = shapes.tags_of(ask, page.rows)
        rows = [_row(ask, row, places[row.id], tags[row.id]) for row in page.rows]
        return Records(records=rows, next=page.next)


class OneRecord(CidHandler):
    """records/{record}."""

    @endpoint("One record", who="viewer", answer=RecordRow)
    def get(self, ask: Ask, record: str) -> RecordRow:
        """What images and files have alike; images/{image} and files/{file} tell all of one."""
        return record_row(ask, policy.find(ask.session, ask.actor, t.Record, record))


class Count(CidHandler):
    """search/count."""

    @endpoint("Count records", who="anyone", query=Question, answer=Counted, costly=True)
    def get(self, ask: Ask) -> Counted:
        """Only what the caller reaches."""
        return Counted(count=find.count(ask.session, ask.actor, ask.query.asked(find.ANY)))


class Facets(CidHandler):
    """search/facets."""

    @endpoint("Values with counts", who="anyone", query=Wanted, answer=FacetList, costly=True)
    def get(self, ask: Ask) -> FacetList:
        """Or inside a facet, and between facets."""
        keys = [key.strip() for each in ask.query.keys for key in each.split(",")]
        found = facets.facets(ask.session, ask.actor, ask.query.asked(find.ANY), keys)
        return FacetList.model_validate({"facets": found}, from_attributes=True)


class Complete(CidHandler):
    """search/complete."""

    @endpoint("Complete a query", who="anyone", query=Typed, answer=Completions, costly=True)
    def get(self, ask: Ask) -> Completions:
        """Only what occurs where the caller may read, or is declared for him."""
        found = complete.complete(ask.session, ask.actor, ask.query.q)
        return Completions.model_validate({"completions": found}, from_attributes=True)


class TopTags(CidHandler):
    """search/top."""

    @endpoint("The most frequent tags", who="anyone", query=Most, answer=Top, costly=True)
    def get(self, ask: Ask) -> Top:
        """Of the caller's projects."""
        found = facets.top(ask.session, ask.actor, ask.query.limit)
        return Top(tags=[Tagged(key=key, value=value, count=n) for key, value, n in found])


def record_row(ask: Ask, record: t.Record) -> RecordRow:
    """Fill one record."""
    place = policy.places(ask.session, ask.actor, [record])[record.id]
    return _row(ask, record, place, shapes.tags_of(ask, [record])[record.id])


def _row(ask: Ask, record: t.Record, place: t.Dataset, tags: list[shapes.Tag]) -> RecordRow:
    pixels = isinstance(record, t.Image)
    return RecordRow(
        uid=record.uid,
        name=record.name,
        kind=record.kind,
        project=place.project.name,
        dataset=place.path,
        nbytes=record.nbytes,
        created_by=record.created_by,
        created_at=record.created_at,
        tags=tags,
        thumbnail=address(ask, record.prefix, "thumbnail.png") if pixels else None,
    )
