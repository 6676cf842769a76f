"""Batch downloads: which records, decided here; the bytes come from the data plane."""

from __future__ import annotations

import datetime as dt
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from ..core.catalog import chosen, downloads
from ..core.search import find
from ..errors import BadInput
from ..storage.downloads import PLACE
from ..storage.forms import FORMS, Said
from ..storage.inplace import Place
from ..storage.lines import Wanted
from ..storage.portable import portable
from ..storage.tickets import DOWNLOADING, Right
from .base import Ask, CidHandler, endpoint

TOLD = 200  # of what is left out


class Selection(BaseModel):
    """Which records (or a `query` that finds them, maybe in a project and a dataset), as what."""

    model_config = ConfigDict(extra="forbid")
    records: list[str] | None = Field(None, max_length=downloads.MOST_RECORDS)
    query: str | None = Field(None, max_length=2000)
    project: str | None = None
    dataset: str | None = None
    form: downloads.Form = Field("originals", alias="as")


class LeftOut(BaseModel):
    """A record that is not in it, and why; no name where the caller does not reach it."""

    uid: str
    name: str
    why: str


class Batch(BaseModel):
    """One ZIP of `files` files, the last of them their digests.

    `etag` is that of its address; it is the same as long as its bytes are. `left` counts what is
    left out, of which `left_out` tells the first.
    """

    name: str
    nbytes: int
    files: int
    etag: str
    left: int
    left_out: list[LeftOut]
    url: str
    ends_at: dt.datetime


class Downloads(CidHandler):
    """downloads."""

    @endpoint("Download many records", who="viewer", body=Selection, answer=Batch, reads=True)
    def post(self, ask: Ask) -> Batch:
        """As one archive, whose address is the caller's for some hours."""
        found = downloads.gather(ask.session, ask.actor, _uids(ask), ask.body.form)
        batch, absent = ask.services.data.batches.make(_wanted(item) for item in found.items)
        left = [LeftOut(uid=one.uid, name=one.name, why=one.why) for one in found.left_out]
        left += [
            LeftOut(uid=one.wanted.said.uid, name=one.wanted.said.name, why=one.why)
            for one in absent
        ]
        right = Right(f"{PLACE}/{batch.uid}", "d")
        name = f"{portable(ask.body.project or 'cid')} {batch.uid[:6]}.zip"
        ticket = ask.ticket(right, DOWNLOADING, batch.prefixes)
        return Batch(
            name=name,
            nbytes=batch.layout.size,
            files=len(batch.layout.entries),
            etag=batch.etag,
            left=len(left),
            left_out=left[:TOLD],
            url=f"{ask.services.prefix}data/{ticket}/.zip/{quote(name)}",
            ends_at=dt.datetime.fromtimestamp(ask.services.data.signer.ends(ticket), dt.UTC),
        )


def _uids(ask: Ask) -> list[str]:
    new = ask.body
    if (new.records is None) == (new.query is None):
        raise BadInput("records, query: give one of the two")
    if new.records is not None:
        return list(new.records)
    asked = find.Asked(new.query, new.project, new.dataset)
    return chosen.uids(ask.session, ask.actor, asked, downloads.MOST_RECORDS)


def _wanted(item: downloads.Item) -> Wanted:
    at, said = int(item.at.timestamp()), Said(item.uid, item.called, item.tags)
    name = item.name + (FORMS[item.form][1] if item.form else "")
    there = item.place
    place = there and Place(there.root, there.path, there.form, there.nbytes, there.mtime_ns)
    return Wanted(item.way, name, item.prefix, item.stored, item.sha256, at, item.form, said, place)
