"""The history of projects, and taking back one step of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..core.life import history, undo
from ..errors import NotFound
from .base import Ask, CidHandler, endpoint
from .paging import After, number, token


class Asked(BaseModel):
    """Newest first: of a project, about one thing ("image:<uid>"), older than `after`."""

    model_config = ConfigDict(extra="forbid")
    project: str | None = None
    about: str | None = Field(None, max_length=160)
    limit: int = Field(50, ge=1, le=history.PAGE)
    after: After = None


class Entry(BaseModel):
    """Who did what to what, when; `undoable` by the caller now, unless it moved on since."""

    entry: int
    at: dt.datetime
    person: str
    action: str
    subject: str
    detail: dict[str, Any]
    project: str | None
    undoes: int | None
    undone_by: int | None
    undoable: bool


class Entries(BaseModel):
    """A page; pass `next` as `after` for the following one."""

    entries: list[Entry]
    next: str | None


class Undone(BaseModel):
    """The entry that was taken back."""

    undone: int
    action: str
    subject: str


class Journal(CidHandler):
    """journal."""

    @endpoint("What was done", who="anyone", query=Asked, answer=Entries)
    def get(self, ask: Ask) -> Entries:
        """In the caller's projects; staff see also what belongs to none."""
        q = ask.query
        asked = history.Asked(q.project, q.about, number(q.after), q.limit)
        steps, following = history.read(ask.session, ask.actor, asked)
        return Entries(entries=[_shape(step) for step in steps], next=token(following))


class Undo(CidHandler):
    """journal/{entry}/undo."""

    @endpoint("Take back a change", who="owner", answer=Undone)
    def post(self, ask: Ask, entry: str) -> Undone:
        """409 with what moved on when its rows were changed since."""
        if not (entry.isascii() and entry.isdigit() and len(entry) < 19):
            raise NotFound(f"no journal entry {entry[:40]!r} that you can see")
        row = undo.undo(ask.session, ask.actor, int(entry))
        return Undone(undone=row.id, action=row.action, subject=row.subject)


def _shape(step: history.Step) -> Entry:
    row = step.entry
    return Entry(
        entry=row.id,
        at=row.at,
        person=row.person,
        action=row.action,
        subject=row.subject,
        detail=row.detail,
        project=step.project,
        undoes=row.undoes,
        undone_by=step.undone_by,
        undoable=step.undoable,
    )
