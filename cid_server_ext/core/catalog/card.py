"""A card: what a project's records may be tagged with, as JSON Schema that a form is drawn from.

What the form gives is what `set` of an annotation takes, so one card fills many records.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Project, Term, Value
from .. import policy
from ..actor import Actor
from . import vocabulary

DRAFT = "https://json-schema.org/draft/2020-12/schema"
MOST_CHOICES = 2000  # of one term; a form with more of them asks while people write
_DATES = (r"^\d{4}-\d{2}-\d{2}$", r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


def schema(session: Session, actor: Actor, name: str, *, machine: bool = False) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a project's sample and processing terms.

    With `machine` also of those that imports fill. Retired terms are left out.
    """
    project = policy.find(session, actor, Project, name)
    shown: dict[str, Term] = {}
    for term in vocabulary.terms(session, project.id):
        if not term.retired and (machine or term.kind != "machine"):
            shown.setdefault(term.folded, term)
            if term.project_id is not None:  # a project's own before the facility's
                shown[term.folded] = term
    declared = _declared(session, list(shown.values()))
    return {
        "$schema": DRAFT,
        "title": project.title or project.name,
        "type": "object",
        "additionalProperties": False,
        "properties": {
            term.key: _property(term, declared.get(term.id, [])) for term in shown.values()
        },
    }


def _declared(session: Session, terms: list[Term]) -> dict[int, list[Value]]:
    ids = [term.id for term in terms]
    chosen = select(Value).where(Value.term_id.in_(ids), Value.declared, Value.retired.is_(False))
    found: dict[int, list[Value]] = {}
    for value in session.scalars(chosen.order_by(Value.id)):
        listed = found.setdefault(value.term_id, [])
        if len(listed) < MOST_CHOICES:
            listed.append(value)
    return found


def _property(term: Term, declared: list[Value]) -> dict[str, Any]:
    one = _one(term, declared)
    told: dict[str, Any] = {"title": term.key, "x-cid-term": term.uid, "x-cid-kind": term.kind}
    if term.help:
        told["description"] = term.help
    if term.unit:
        told["x-cid-unit"] = term.unit
    if term.many:
        return told | {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
    return told | one


def _one(term: Term, declared: list[Value]) -> dict[str, Any]:
    texts = [value.text for value in declared]
    if term.type == "number":
        with_unit = {"type": "string", "pattern": r"^[+-]?[0-9.]"}  # "250 nm"
        return {"anyOf": [{"type": "number"}, with_unit]}
    if term.type == "date":
        return {"type": "string", "anyOf": [{"pattern": pattern} for pattern in _DATES]}
    text: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 400}
    if term.type == "choice":
        return {"type": "string", "enum": texts} if texts else {"not": {}}
    if term.type == "ontology":
        concept = {
            "type": "object",
            "required": ["label", "iri"],
            "additionalProperties": False,
            "properties": {"label": {"type": "string"}, "iri": {"type": "string"}},
        }
        known = {"oneOf": [{"const": v.text, "x-cid-iri": v.iri} for v in declared]}
        return {"anyOf": [known, concept]} if declared else concept
    if term.type == "id":
        text["x-cid-scheme"] = term.scheme
        if term.pattern:
            text["pattern"] = f"^(?:{term.pattern})$"
    return text | ({"examples": texts} if texts else {})
