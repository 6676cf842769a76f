"""The tags of many records as people read them, in two queries however many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Tag, Term, Value
from . import values


@dataclass(frozen=True, slots=True)
class Shown:
    """One typed value and where it came from; `link` is an identifier's or concept's address."""

    key: str
    value: str
    number: float | None
    unit: str
    kind: str
    source: str
    set_by: str
    link: str


def tags(session: Session, record_ids: Iterable[int]) -> dict[int, list[Shown]]:
    """Return the tags of each record, in the order they were set."""
    ids = list(record_ids)
    tag, value = Tag.__table__, Value.__table__
    chosen = (
        select(
            tag.c.record_id,
            tag.c.term_id,
            tag.c.number,
            tag.c.text,
            tag.c.source,
            tag.c.set_by,
            value.c.text,
            value.c.iri,
        )
        .select_from(tag.outerjoin(value, value.c.id == tag.c.value_id))
        .where(tag.c.record_id.in_(ids))
        .order_by(tag.c.id)
    )
    rows = session.execute(chosen).all()
    used = {term for _, term, *_ in rows}
    terms = {term.id: term for term in session.scalars(select(Term).where(Term.id.in_(used)))}
    found: dict[int, list[Shown]] = {record: [] for record in ids}
    for record, number_of_term, number, entered, source, set_by, text, iri in rows:
        term = terms[number_of_term]
        linked = text is not None and term.type in ("ontology", "id")
        link = values.address(term, Value(text=text, iri=iri)) if linked else ""
        shown = (entered or "") if text is None else text
        found[record].append(
            Shown(term.key, shown, number, term.unit, term.kind, source, set_by, link)
        )
    return found
