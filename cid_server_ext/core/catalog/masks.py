"""Masks: what an upload from a microscope must and may say. Versions never change.

Everybody may read them; staff saves a new version, and retires a mask that is no longer used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from ...db.tables import Instrument, MaskVersion, Term
from ...db.tables import Mask as Row
from ...errors import BadInput, Conflict, NotFound
from .. import journal, policy, units
from ..actor import Actor
from . import completeness, instruments, mask_document, mask_rules, mask_text, typed
from .mask_document import Mask, Wrong

MOST = 1000  # masks
MOST_VERSIONS = 1000


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that was read: its text, what it means, and its instrument of the register."""

    text: str
    mask: Mask
    instrument: Instrument | None


def listing(session: Session) -> list[Row]:
    """Return all masks by name, the retired ones too."""
    chosen = select(Row).options(selectinload(Row.versions), selectinload(Row.instrument))
    return sorted(session.scalars(chosen), key=lambda row: (row.folded, row.id))


def find(session: Session, called: str, *, hold: bool = False) -> Row:
    """Return the mask of this uid or name, or raise NotFound; `hold` it until the commit."""
    named = or_(Row.uid == called, Row.folded == typed.folded(called, 240))
    chosen = select(Row).where(named).order_by(Row.uid != called)
    if hold:
        chosen = chosen.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(chosen.limit(1)).first()
    if row is None:
        raise NotFound(f"no mask {called[:80]!r}")
    return row


def version(session: Session, called: str, number: int) -> MaskVersion:
    """Return one version of a mask, or raise NotFound."""
    row = find(session, called)
    found = [one for one in row.versions if one.number == number]
    if not found:
        raise NotFound(f"mask {row.name!r} has no version {number}")
    return found[0]


def current(row: Row) -> MaskVersion:
    """Return the newest version, which new uploads are held to."""
    return row.versions[-1]


def of_instrument(session: Session, instrument: Instrument) -> list[Row]:
    """Return the masks of an instrument that are in use, by name."""
    mine = Row.instrument_id == instrument.id
    rows = session.scalars(select(Row).where(mine, Row.retired.is_(False)))
    return sorted(rows, key=lambda row: row.folded)


def meant(one: MaskVersion) -> Mask:
    """Return what a version means."""
    return Mask.model_validate(one.body)


def read(
    session: Session, *, text: str | None = None, document: Mapping[str, Any] | None = None
) -> Draft:
    """Return a document as text or as values, read; BadInput says of each field what is wrong."""
    if (text is None) == (document is None):
        raise BadInput("text or document: one of them")
    try:
        return _read(session, text, document)
    except BadInput as error:
        named = "document" if text is None else "text"
        raise BadInput(f"{named}: {error}", error.fields) from None


def _read(session: Session, text: str | None, document: Mapping[str, Any] | None) -> Draft:
    told, lines = (document, {}) if text is None else mask_text.read(text)
    mask, wrong = mask_document.shape(told, lines)
    mask_rules.check(mask, wrong)
    _fit_vocabulary(session, mask, wrong)
    instrument = _instrument(session, mask, wrong)
    wrong.refuse()
    return Draft(mask_text.written(mask.body) if text is None else text, mask, instrument)


def add(session: Session, actor: Actor, draft: Draft, note: str = "") -> Row:
    """Make a new mask of a document. Staff may; Conflict when one is called so already."""
    policy.require_staff(actor)
    if (session.scalar(select(func.count()).select_from(Row)) or 0) >= MOST:
        raise BadInput(f"mask: there are at most {MOST} masks")
    row = Row(retired=False)
    session.add(row)
    _name(session, row, draft)
    _new_version(session, actor, row, draft, note, "add mask")
    return row


def save(session: Session, actor: Actor, called: str, draft: Draft, note: str = "") -> Row:
    """Make a new version of a mask, unless the newest is the same text. Staff may.

    With another name or instrument in the document the mask has these from now on.
    """
    policy.require_staff(actor)
    row = find(session, called, hold=True)
    session.refresh(row, ["versions"])
    if current(row).text == draft.text and not row.retired:
        return row
    if len(row.versions) >= MOST_VERSIONS:
        raise BadInput(f"mask: a mask has at most {MOST_VERSIONS} versions; begin a new mask")
    row.retired = False
    _name(session, row, draft)
    _new_version(session, actor, row, draft, note, "save mask")
    return row


def retire(session: Session, actor: Actor, called: str, retired: bool = True) -> Row:
    """Let new uploads use a mask no more, or again. Staff may."""
    policy.require_staff(actor)
    row = find(session, called, hold=True)
    if row.retired != retired:
        row.retired = retired
        session.flush()
        action = "retire mask" if retired else "use mask again"
        _tell(session, actor, action, row, {"name": row.name})
    return row


def _new_version(
    session: Session, actor: Actor, row: Row, draft: Draft, note: str, action: str
) -> None:
    why = typed.clean(note, "note:", 1000) if note.strip() else ""
    number = 1 + max((one.number for one in row.versions), default=0)
    session.add(
        MaskVersion(
            mask=row,
            number=number,
            text=draft.text,
            body=draft.mask.body,
            note=why,
            person=actor.name,
        )
    )
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(f"somebody else saved {draft.mask.mask!r} just now: reload it") from None
    _tell(session, actor, action, row, {"name": row.name, "version": number, "note": why})


def _name(session: Session, row: Row, draft: Draft) -> None:
    name = typed.clean(draft.mask.mask, "mask:", 120)
    row.name, row.folded, row.instrument = name, typed.folded(name, 240), draft.instrument
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(f"mask: there is a mask {name!r} already") from None


def _instrument(session: Session, mask: Mask, wrong: Wrong) -> Instrument | None:
    if not mask.instrument:
        return None
    rows = instruments.named(session)
    folded = typed.folded(mask.instrument, 240)
    for row in rows:
        if folded == row.folded or mask.instrument == row.uid:
            if row.retired:
                wrong.say(("instrument",), f"instrument: {row.name!r} is retired")
            return row
    known = ", ".join(row.name for row in rows[:10] if not row.retired) or "none yet"
    wrong.say(("instrument",), f"instrument: {mask.instrument!r} is not registered; known: {known}")
    return None


def _fit_vocabulary(session: Session, mask: Mask, wrong: Wrong) -> None:
    """Note where a field and the facility's term of the same key do not agree."""
    terms = {
        term.folded: term for term in session.scalars(select(Term).where(Term.project_id.is_(None)))
    }
    for number, one in enumerate(mask.fields):
        term = terms.get(completeness.folded(one.key))
        if term is None:
            continue
        told = f"the facility's term {term.key!r}"
        if term.retired:
            wrong.of_field(number, "key", f"{told} is retired")
        if one.type not in (term.type, *_ALSO.get(term.type, ())):
            wrong.of_field(number, "type", f"{told} is of type {term.type}")
        if one.many and not term.many:
            wrong.of_field(number, "many", f"{told} takes one value")
        if one.unit and term.type == "number":
            try:
                units.convert(1.0, units.known(one.unit), term.unit)
            except BadInput:
                wrong.of_field(number, "unit", f"{told} is in {term.unit or 'no unit'}")


def _tell(session: Session, actor: Actor, action: str, row: Row, detail: dict[str, Any]) -> None:
    journal.record(session, actor.name, action, f"mask:{row.uid}", detail)


_ALSO = {"text": ("choice", "number", "date", "id"), "ontology": ("choice",)}  # kept as it is
