"""Tags: typed values of vocabulary terms on images; each knows its source."""

from __future__ import annotations

import math

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ...db.tables import Image, Tag, Term
from ...errors import BadInput, NotFound
from .. import journal, names, policy
from ..actor import Actor

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

Value = str | float | int


def put(session: Session, actor: Actor, uid: str, key: str, value: Value) -> Tag:
    """Set one tag on an image, replacing an earlier value. Annotators may."""
    image = policy.require(session, actor, "annotator", Image, uid)
    term = term_called(session, image.project_id, key, value)
    tag = write(session, image, term, value, source="person", set_by=actor.name)
    detail = {"key": term.key, "value": tag.text}
    journal.record(session, actor.name, "tag", f"image:{uid}", detail)
    return tag


def remove(session: Session, actor: Actor, uid: str, key: str) -> None:
    """Take one tag off an image. Annotators may."""
    image = policy.require(session, actor, "annotator", Image, uid)
    terms = select(Term.id).where(Term.key == key)
    found = session.scalar(select(Tag).where(Tag.image_id == image.id, Tag.term_id.in_(terms)))
    if found is None:
        raise NotFound(f"image {image.name!r} has no tag {key!r}")
    session.execute(delete(Tag).where(Tag.id == found.id))
    detail = {"key": key, "value": found.text}
    journal.record(session, actor.name, "untag", f"image:{uid}", detail)


def write(
    session: Session, image: Image, term: Term, value: Value, *, source: str, set_by: str
) -> Tag:
    """Set the value without asking who; imports and runs come here directly."""
    text, number = typed(term, value)
    tag = session.scalar(select(Tag).where(Tag.image_id == image.id, Tag.term_id == term.id))
    if tag is None:
        tag = Tag(image_id=image.id, term_id=term.id, project_id=image.project_id)
        session.add(tag)
    tag.text, tag.number, tag.source, tag.set_by = text, number, source, set_by
    session.flush()
    return tag


def term_called(
    session: Session, project_id: int, key: str, value: Value, kind: str = "sample"
) -> Term:
    """Return the facility's or the project's term `key`; a new key becomes the project's own."""
    clean = key if key in MACHINE else names.label(key, "tag").replace(":", " ")
    owner = Term.project_id.is_(None) | (Term.project_id == project_id)
    term = session.scalar(select(Term).where(owner, Term.key == clean))
    if term is None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        term = Term(
            project_id=None if clean in MACHINE else project_id,
            key=clean,
            kind="machine" if clean in MACHINE else kind,
            type="number" if number else "text",
        )
        session.add(term)
        session.flush()
    return term


def typed(term: Term, value: Value) -> tuple[str, float | None]:
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
