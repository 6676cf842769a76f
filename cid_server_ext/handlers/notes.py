"""Notes about a project, a dataset or a record: plain text or Markdown, never HTML."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field

from ..core.catalog import notes
from ..db import tables as t
from .base import Ask, CidHandler, endpoint
from .paging import After, number, token


class About(BaseModel):
    """ "project:<name>", "dataset:<uid>" or "record:<uid>"; `after` is an earlier `next`."""

    model_config = ConfigDict(extra="forbid")
    about: str = Field(max_length=200)
    after: After = None


class NewNote(BaseModel):
    """What to write about what."""

    model_config = ConfigDict(extra="forbid")
    about: str = Field(max_length=200)
    text: str


class EditNote(BaseModel):
    """What it says instead."""

    model_config = ConfigDict(extra="forbid")
    text: str


class Note(BaseModel):
    """A note; `text` is its source."""

    uid: str
    about: str
    person: str
    text: str
    created_at: dt.datetime
    edited_at: dt.datetime | None


class Notes(BaseModel):
    """A page, oldest first; pass `next` as `after` for the following one."""

    notes: list[Note]
    next: str | None


class Removed(BaseModel):
    """What is there no more."""

    uid: str


class AllNotes(CidHandler):
    """notes."""

    @endpoint("Notes about something", who="viewer", query=About, answer=Notes)
    def get(self, ask: Ask) -> Notes:
        """Oldest first."""
        rows = notes.listing(ask.session, ask.actor, ask.query.about, number(ask.query.after))
        more = len(rows) == notes.PAGE
        return Notes(notes=[_shape(row) for row in rows], next=token(rows[-1].id if more else None))

    @endpoint("Write a note", who="annotator", body=NewNote, answer=Note, status=201)
    def post(self, ask: Ask) -> Note:
        """Its words are found with what it is about."""
        return _shape(notes.write(ask.session, ask.actor, ask.body.about, ask.body.text))


class OneNote(CidHandler):
    """notes/{note}."""

    @endpoint("Change a note", who="owner", body=EditNote, answer=Note)
    def patch(self, ask: Ask, note: str) -> Note:
        """One's own; managers any."""
        return _shape(notes.edit(ask.session, ask.actor, note, ask.body.text))

    @endpoint("Take a note away", who="owner", answer=Removed)
    def delete(self, ask: Ask, note: str) -> Removed:
        """One's own; managers any."""
        notes.remove(ask.session, ask.actor, note)
        return Removed(uid=note)


def _shape(row: t.Note) -> Note:
    return Note(
        uid=row.uid,
        about=notes.about(row),
        person=row.person,
        text=row.text,
        created_at=row.created_at,
        edited_at=row.edited_at,
    )
