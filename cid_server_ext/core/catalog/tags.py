"""Tags: typed values of vocabulary terms on images; each knows its source."""

from __future__ import annotations

import math

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Record, Tag, Term, Value
from ...errors import BadInput, NotFound
from .. import journal, names, policy
from ..actor import Actor
from ..search import index
from ..search.words import fold

MACHINE = (
    "Microscope",
    "Acquisition software",
    "Objective",
    "Lasers",
    "Filters",
    "Tube/Detector",
    "Acquisition date",
    "User",
)

Given = str | float | int


def put(session: Session, actor: Actor, uid: str, key: str, value: Given) -> Tag:
    """Set one tag on an image, replacing an earlier value. Annotators may."""
    image = policy.require(session, actor, "annotator", Record, uid)
    term = term_called(session, image.project_id, key, value)
    tag = write(session, image, term, value, source="person", set_by=actor.name)
    index.refresh(session, [image.id])
    detail = {"key": term.key, "value": tag.shown}
    subject = f"{image.type}:{uid}"
    journal.record(session, actor.name, "tag", subject, detail, project_id=image.project_id)
    return tag


def remove(session: Session, actor: Actor, uid: str, key: str) -> None:
    """Take one tag off an image. Annotators may."""
    image = policy.require(session, actor, "annotator", Record, uid)
    terms = select(Term.id).where(Term.key == key)
    found = session.scalar(select(Tag).where(Tag.record_id == image.id, Tag.term_id.in_(terms)))
    if found is None:
        raise NotFound(f"image {image.name!r} has no tag {key!r}")
    detail = {"key": key, "value": found.shown}
    session.delete(found)
    index.refresh(session, [image.id])
    subject = f"{image.type}:{uid}"
    journal.record(session, actor.name, "untag", subject, detail, project_id=image.project_id)


def write(
    session: Session, record: Record, term: Term, value: Given, *, source: str, set_by: str
) -> Tag:
    """Set the value without asking who; the caller refreshes the index. Imports and runs too."""
    text, number = typed(term, value)
    kept = None if number is not None else _value(session, term, text)
    tag = session.scalar(select(Tag).where(Tag.record_id == record.id, Tag.term_id == term.id))
    if tag is None:
        tag = Tag(record_id=record.id, term_id=term.id)
        session.add(tag)
    tag.value, tag.number, tag.text = kept, number, None if kept else text[:80]
    tag.source, tag.set_by = source, set_by
    session.flush()
    return tag


def term_called(
    session: Session, project_id: int, key: str, value: Given, kind: str = "sample"
) -> Term:
    """Return the facility's or the project's term `key`; a new key becomes the project's own."""
    clean = key if key in MACHINE else names.label(key, "tag").replace(":", " ")
    owner = Term.project_id.is_(None) | (Term.project_id == project_id)
    term = session.scalar(select(Term).where(owner, Term.folded == fold(clean)))
    if term is None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        term = Term(
            project_id=None if clean in MACHINE else project_id,
            key=clean,
            folded=fold(clean),
            kind="machine" if clean in MACHINE else kind,
            type="number" if number else "text",
        )
        session.add(term)
        session.flush()
    return term


def typed(term: Term, value: Given) -> tuple[str, float | None]:
    """Return the value as text and, for a number term, as a number; or raise BadInput."""
    text = format(value, ".12g") if isinstance(value, float) else str(value).strip()
    if not 1 <= len(text) <= 400:
        raise BadInput(f"a value of {term.key!r} has 1 to 400 characters")
    if term.type != "number":
        return text, None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadInput(f"{term.key!r} takes a number, not {text!r}")
    return text, number


def _value(session: Session, term: Term, text: str) -> Value:
    """Return the term's value of this spelling, made when it is new."""
    found = session.scalar(select(Value).where(Value.term_id == term.id, Value.text == text))
    if found is None:
        found = Value(term_id=term.id, text=text, folded=fold(text))
        session.add(found)
        session.flush()
    return found
