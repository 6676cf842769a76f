"""The values of a term that somebody may know of: declared, or used in projects he reaches."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, or_, select
from sqlalchemy.orm import Session

from ...db.tables import Project, Tally, Term, Value
from ...errors import BadInput, NotFound
from .. import journal, policy
from ..actor import Actor
from ..people import staff_reads
from ..search.words import fold
from . import schemes, typed, vocabulary

PAGE = 100
MOST = 2000  # declared in one call


@dataclass(frozen=True, slots=True)
class Known:
    """A value and how many records of the caller's projects have it."""

    value: Value
    n: int


def uses(projects: Select[int]) -> ScalarSelect[int]:
    """Select in how many records of `projects` a value is; links count where they show it."""
    counted = select(func.coalesce(func.sum(Tally.n), 0))
    return counted.where(Tally.entry == Value.id, Tally.project_id.in_(projects)).scalar_subquery()


def known(term: Term, projects: Select[int]) -> ColumnElement[bool]:
    """Return the WHERE clause that keeps the term's values that readers of `projects` know."""
    mine = (Value.term_id == term.id) & Value.retired.is_(False)
    if term.project_id is not None:  # its readers know all of it
        return mine
    return mine & or_(Value.declared, uses(projects) > 0)


def find(session: Session, actor: Actor, term: Term, uid: str) -> Value:
    """Return one value of a term, or raise NotFound."""
    asked = select(Value).where(known(term, policy.projects(actor)), Value.uid == uid)
    value = session.scalar(asked)
    if value is None:
        raise NotFound(f"no value {uid!r} of {term.key!r} that you can see")
    return value


def complete(
    session: Session,
    actor: Actor,
    term: Term,
    begun: str = "",
    project: str | None = None,
    limit: int = 20,
) -> list[Known]:
    """Return values with a word that begins like `begun`, the most used first; then declared ones.

    Counted over the caller's projects, or one of them.
    """
    projects = policy.projects(actor)
    if project is None:
        staff_reads.everywhere(session)
    else:
        row = policy.find(session, actor, Project, project)
        projects = select(Project.id).where(Project.id == row.id)
    if not 1 <= limit <= PAGE:
        raise BadInput(f"limit: 1 to {PAGE}")
    n = uses(projects).label("n")
    asked = select(Value, n).where(known(term, projects))
    if begun := fold(begun)[:200]:
        first = Value.folded.startswith(begun, autoescape=True)
        inner = Value.folded.contains(f" {begun}", autoescape=True)
        asked = asked.where(or_(first, inner))
    found = session.execute(asked.order_by(n.desc(), Value.folded, Value.id).limit(limit))
    return [Known(value, int(count)) for value, count in found]


def declare(session: Session, actor: Actor, uid: str, given: list[typed.Given]) -> list[Value]:
    """Make values part of the vocabulary; those that are there are declared. Managers may."""
    term = vocabulary.manage(session, actor, uid)
    found = add_declared(session, term, given)
    detail = {"key": term.key, "values": [value.text for value in found[:100]]}
    subject = f"term:{term.uid}"
    journal.record(
        session, actor.name, "declare value", subject, detail, project_id=term.project_id
    )
    return found


def add_declared(session: Session, term: Term, given: list[typed.Given]) -> list[Value]:
    """Declare values of a term without asking who; the spellings of one call are all kept."""
    if term.type in typed.NUMERIC and given:
        raise BadInput(f"values: {term.key!r} takes any {term.type}; it has no list of values")
    if len(given) > MOST:
        raise BadInput(f"values: at most {MOST} in one call")
    vocabulary.alone(session)
    wanted = {one.text: one for one in (typed.read(term, value) for value in given)}
    rows = session.scalars(select(Value).where(Value.term_id == term.id)) if wanted else ()
    have = {value.text: value for value in rows if value.text in wanted}
    found = []
    for one in wanted.values():
        if term.type == "ontology" and not one.iri and one.text not in have:
            raise BadInput(f"values: {one.text!r} needs its iri: {{label, iri}} or 'label <iri>'")
        value = have.get(one.text) or new_value(term, one)
        if one.iri and value.iri != one.iri:
            value.iri = one.iri
        value.term, value.declared, value.retired = term, True, False
        session.add(value)
        found.append(value)
    session.flush()
    return found


def new_value(term: Term, one: typed.Typed) -> Value:
    """Return a value of the term that is not saved."""
    return Value(
        term_id=term.id,
        text=one.text,
        folded=typed.folded(one.text, 800),
        iri=one.iri,
        declared=False,
        retired=False,
    )


def address(term: Term, value: Value | None) -> str:
    """Return the web address of a concept or an external identifier; "" for any other value."""
    return "" if value is None else link(term.type, term.scheme, term.link, value.text, value.iri)


def link(type: str, scheme: str, template: str, text: str, iri: str) -> str:
    """Return the same from the columns of the term and the value."""
    if type == "ontology":
        return schemes.concept(iri)
    if type == "id":
        return schemes.address(scheme, template, text)
    return ""
