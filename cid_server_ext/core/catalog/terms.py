"""Terms are declared, changed and retired by who manages their vocabulary."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ...db import capture
from ...db.tables import Project, Tag, Term
from ...errors import BadInput, Conflict
from .. import journal, policy, units
from ..actor import Actor
from ..search import index
from . import patterns, schemes, tagging, typed, values, vocabulary
from .spelling import ALIKE

TYPES = ("text", "number", "date", "choice", "ontology", "id")
KINDS = ("sample", "processing", "machine")
MOST_USES = 100_000  # tags that one step rewrites
CAPTURED = {"captured": True}


@dataclass(frozen=True, slots=True)
class NewTerm:
    """A term to declare; see `db.tables.Term`. `values` are declared with it."""

    key: str
    kind: str = "sample"
    type: str = "text"
    unit: str = ""
    scheme: str = ""
    pattern: str = ""
    link: str = ""
    help: str = ""
    many: bool = False
    values: list[typed.Given] = field(default_factory=list)


def declare(session: Session, actor: Actor, project: str | None, new: NewTerm) -> Term:
    """Add a term to a project's vocabulary (managers) or to the facility's (staff)."""
    row = None if project is None else policy.find(session, actor, Project, project)
    vocabulary.require_manager(session, actor, row)
    term = add(session, None if row is None else row.id, new)
    _tell(session, actor, "declare term", term, {"key": term.key, "type": term.type})
    return term


def add(session: Session, project_id: int | None, new: NewTerm) -> Term:
    """Add a term without asking who; Conflict when the vocabulary has its key already."""
    term = Term(
        project_id=project_id,
        key=vocabulary.term_key(new.key),
        folded=typed.folded(vocabulary.term_key(new.key), 200),
        kind=_one_of("kind", new.kind, KINDS if project_id is None else KINDS[:2]),
        type=_one_of("type", new.type, TYPES),
        scheme=new.scheme,
        retired=False,
    )
    _shape(term, {name: getattr(new, name) for name in ("unit", "pattern", "link", "many")})
    term.help = help_text(new.help)
    vocabulary.alone(session)
    vocabulary.room(session, project_id)
    _refuse_taken(session, term)
    session.add(term)
    session.flush()
    values.add_declared(session, term, new.values)
    return term


def similar(session: Session, term: Term) -> list[str]:
    """Return other keys of the same vocabulary that are spelled much like this one."""
    others = {
        other.folded: other.key
        for other in vocabulary.terms(session, term.project_id)
        if other.id != term.id and not other.retired
    }
    return [others[one] for one in difflib.get_close_matches(term.folded, others, 3, ALIKE)]


def change(session: Session, actor: Actor, uid: str, changes: Mapping[str, Any]) -> Term:
    """Change key, help, unit, many, pattern, link or retired; one step, one entry.

    The unit of a term that is used changes only with `convert`: its numbers are then converted.
    """
    term = vocabulary.manage(session, actor, uid)
    detail = {name: {"from": getattr(term, name), "to": to} for name, to in _told(changes)}
    if "key" in changes:
        _rename(session, term, changes["key"])
    if "unit" in changes:
        _change_unit(session, term, changes["unit"], bool(changes.get("convert")))
    if changes.get("many") is False and term.many:
        _refuse_several(session, term)
    _shape(term, {n: changes[n] for n in ("pattern", "link", "many") if n in changes})
    if "help" in changes:
        term.help = help_text(changes["help"])
    action = "rename term" if "key" in changes else "change term"
    if changes.get("retired") is not None:
        term.retired = bool(changes["retired"])
        action = "retire term" if term.retired else action
    session.flush()
    _tell(session, actor, action, term, {"key": term.key, **detail})
    return term


def help_text(text: str) -> str:
    """Return a line of help, or raise BadInput; "" is none."""
    return typed.clean(text, "help:", 400) if text.strip() else ""


def uses(session: Session, term: Term) -> int:
    """Return how many tags a term has, anywhere."""
    return session.scalar(select(func.count()).where(Tag.term_id == term.id)) or 0


def convert(session: Session, term: Term, unit: str) -> None:
    """Take the numbers of all the term's tags to another unit; the term's own stays."""
    chosen = select(Tag.id, Tag.record_id, Tag.number).where(
        Tag.term_id == term.id, Tag.number.is_not(None)
    )
    rows = session.execute(chosen).all()
    tagging.lock(session, [row.record_id for row in rows])
    taken = {n: units.convert(n, term.unit, unit) for n in {row.number for row in rows}}
    capture.touch(session, Tag, [row.id for row in rows])
    changed = [
        {"id": row.id, "number": taken[row.number], "text": typed.shown_number(taken[row.number])}
        for row in rows
    ]
    if changed:
        session.execute(update(Tag), changed, execution_options=CAPTURED)
        session.expire_all()
        index.refresh(session, [row.record_id for row in rows])


def refuse_too_many(count: int) -> None:
    """Raise BadInput when a step would rewrite more tags than others can wait for."""
    if count > MOST_USES:
        raise BadInput(
            f"this would rewrite more than {MOST_USES} tags in one step: do it by project"
        )


def _shape(term: Term, wanted: Mapping[str, Any]) -> None:
    """Check and set what depends on the type."""
    if term.type == "id" and term.scheme not in schemes.SCHEMES:
        raise BadInput(f"scheme: one of {', '.join(schemes.SCHEMES)}")
    if term.type != "id" and term.scheme:
        raise BadInput("scheme: only terms of type id have one")
    if wanted.get("unit") and term.type != "number":
        raise BadInput("unit: only terms of type number have one")
    if "unit" in wanted:
        term.unit = units.known(wanted["unit"])
    own = term.scheme == "own"
    if (wanted.get("pattern") or wanted.get("link")) and not own:
        raise BadInput("pattern, link: only terms of type id with the scheme own have them")
    if "pattern" in wanted:
        term.pattern = patterns.read(wanted["pattern"]) if wanted["pattern"] else ""
    if "link" in wanted:
        term.link = schemes.template(wanted["link"], "link:")
    if wanted.get("many") and term.type in typed.NUMERIC:
        raise BadInput(f"many: a record has one {term.type} of a term")
    if "many" in wanted:
        term.many = bool(wanted["many"])


def _rename(session: Session, term: Term, key: str) -> None:
    term.key = vocabulary.term_key(key)
    term.folded = typed.folded(term.key, 200)
    vocabulary.alone(session)
    with session.no_autoflush:
        _refuse_taken(session, term)


def _refuse_taken(session: Session, term: Term) -> None:
    """Raise Conflict when another term is called like this in what the project sees."""
    seen = vocabulary.inherited(term.project_id)
    found = session.scalars(select(Term).where(seen, Term.folded == term.folded))
    for other in found:
        if other.id != term.id:
            whose = "the facility" if other.project_id is None else "this project"
            state = ", retired" if other.retired else ""
            raise Conflict(f"key: {whose} has a term {other.key!r} already{state}")


def _change_unit(session: Session, term: Term, unit: str, agreed: bool) -> None:
    clean = units.known(unit)
    if clean == term.unit:
        return
    count = uses(session, term)
    if count and not agreed:
        raise Conflict(
            f"unit: {count} records have numbers in {term.unit or 'no unit'!r};"
            " say convert: true to convert them all"
        )
    if count:
        if not (clean and term.unit):
            raise BadInput("unit: numbers with and without a unit cannot be converted")
        refuse_too_many(count)
        convert(session, term, clean)
    _shape(term, {"unit": clean})


def _refuse_several(session: Session, term: Term) -> None:
    several = select(Tag.record_id).where(Tag.term_id == term.id).group_by(Tag.record_id)
    if session.scalar(several.having(func.count() > 1).limit(1)) is not None:
        raise Conflict(f"many: some records have several values of {term.key!r}")


def _one_of(what: str, given: str, known: tuple[str, ...]) -> str:
    if given not in known:
        raise BadInput(f"{what}: one of {', '.join(known)}")
    return given


def _told(changes: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, to) for name, to in changes.items() if name != "convert"]


def _tell(session: Session, actor: Actor, action: str, term: Term, detail: dict[str, Any]) -> None:
    subject = f"term:{term.uid}"
    journal.record(session, actor.name, action, subject, detail, project_id=term.project_id)
