"""Notes: what people write about a project, a dataset or a record, as plain text or Markdown."""

from __future__ import annotations

import unicodedata

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Dataset, Note, Project, Record
from ...errors import BadInput, NotAllowed
from .. import journal, policy
from ..actor import Actor
from ..search import index

LONGEST = 20_000  # characters
PAGE = 100

Target = Project | Dataset | Record


def listing(session: Session, actor: Actor, about: str, after: int | None = None) -> list[Note]:
    """Return a page of the notes about something, oldest first. Viewers of its project may."""
    row = _target(session, actor, "viewer", about)
    notes = policy.visible(actor, Note).where(_about(row))
    if after is not None:
        notes = notes.where(Note.id > after)
    return list(session.scalars(notes.order_by(Note.id).limit(PAGE)))


def write(session: Session, actor: Actor, about: str, text: str) -> Note:
    """Write a note about "project:<name>", "dataset:<uid>" or "record:<uid>". Annotators may."""
    row = _target(session, actor, "annotator", about)
    note = Note(
        project_id=row.id if isinstance(row, Project) else row.project_id,
        dataset_id=row.id if isinstance(row, Dataset) else None,
        record_id=row.id if isinstance(row, Record) else None,
        person=actor.name,
        text=_clean(text),
    )
    session.add(note)
    session.flush()
    _record(session, actor, "write note", note)
    return note


def edit(session: Session, actor: Actor, uid: str, text: str) -> Note:
    """Say it otherwise. Who wrote it may, and managers."""
    note = _own(session, actor, uid)
    note.text, note.edited_at = _clean(text), clock.now(session)
    _record(session, actor, "edit note", note)
    return note


def remove(session: Session, actor: Actor, uid: str) -> None:
    """Take a note away. Who wrote it may, and managers."""
    note = _own(session, actor, uid)
    _record(session, actor, "remove note", note, removed=True)


def about(note: Note) -> str:
    """Return what a note is about, as it is asked for."""
    if note.record is not None:
        return f"record:{note.record.uid}"
    if note.dataset is not None:
        return f"dataset:{note.dataset.uid}"
    return f"project:{note.project.name}"


def _target(session: Session, actor: Actor, role: str, about: str) -> Target:
    kind, _, name = about.partition(":")
    kind = kind if name else ""
    if kind == "project":
        return policy.require(session, actor, role, Project, name)
    if kind == "dataset":
        return policy.require(session, actor, role, Dataset, name)
    if kind == "record":
        return policy.require(session, actor, role, Record, name)
    raise BadInput('about: "project:<name>", "dataset:<uid>" or "record:<uid>"')


def _about(row: Target) -> ColumnElement[bool]:
    if isinstance(row, Record):
        return Note.record_id == row.id
    if isinstance(row, Dataset):
        return Note.dataset_id == row.id
    return (Note.project_id == row.id) & Note.dataset_id.is_(None) & Note.record_id.is_(None)


def _own(session: Session, actor: Actor, uid: str) -> Note:
    note = policy.find(session, actor, Note, uid)
    role = "annotator" if note.person == actor.name else "manager"
    if role == "manager":
        mine = select(Note.id).where(Note.id == note.id, policy.reachable(actor, role, Note))
        if session.scalar(mine) is None:
            raise NotAllowed(f"{note.person} wrote this note: only he and managers may change it")
    return policy.require(session, actor, "annotator", Note, uid)


def _clean(text: str) -> str:
    clean = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not 1 <= len(clean) <= LONGEST:
        raise BadInput(f"text: a note has 1 to {LONGEST} characters")
    bad = next(
        (c for c in clean if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cs")), ""
    )
    if bad:
        raise BadInput(f"text: the character U+{ord(bad):04X} cannot be kept")
    return clean


def _record(
    session: Session, actor: Actor, action: str, note: Note, *, removed: bool = False
) -> None:
    record_id, named = note.record_id, about(note)
    if note.record is not None:
        named = f"{note.record.type}:{note.record.uid}"
    detail = {"note": note.uid, "text": note.text[:200]}
    journal.record(session, actor.name, action, named, detail, project_id=note.project_id)
    if removed:
        session.delete(note)
    if record_id is not None:
        index.refresh(session, [record_id])
