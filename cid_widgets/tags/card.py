"""A project's card as a view draws it: a field for each term, with what the records say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..lib.shapes import Shape, texts
from .catalog import Tags, Term

SHOWN = 30  # values of one key
NAMED = 6  # records
MAY_TAG = ("annotator", "contributor", "manager")


def fields(card: Mapping[str, Any], terms: Iterable[Term], rows: Sequence[Tags]) -> list[Shape]:
    """Return one field for each term of the card, in its order."""
    told = {term.record["uid"]: term.record for term in terms}
    said = values(rows)
    properties = card.get("properties") or {}
    asked = [(key, told.get(one.get("x-cid-term"))) for key, one in properties.items()]
    return [_field(key, term, said.get(key)) for key, term in asked if term is not None]


def plain(key: str) -> Shape:
    """Return the field of a key that is not in the vocabulary yet."""
    return _field(key, {"type": "text"}, None) | {"fresh": True}


def apart(shown: Iterable[Shape], rows: Sequence[Tags]) -> list[Shape]:
    """Return what the card does not ask for: tags of imports, and of terms that are retired."""
    keys = {field["key"] for field in shown}
    found = values(rows)
    units = {tag["key"]: tag.get("unit") or "" for one in rows for tag in one.tags}
    return [
        {"key": key, "unit": units[key], **_held(held)}
        for key, held in sorted(found.items())
        if key not in keys
    ]


def values(rows: Iterable[Tags]) -> dict[str, list[Shape]]:
    """Return for each key its values, with how many records have them, the most frequent first."""
    counts: dict[str, Counter[str]] = {}
    seen: dict[tuple[str, str], Mapping[str, Any]] = {}
    for one in rows:
        for tag in one.tags:
            counts.setdefault(tag["key"], Counter())[str(tag["value"])] += 1
            seen.setdefault((tag["key"], str(tag["value"])), tag)
    return {
        key: [_value(text, n, seen[key, text]) for text, n in counted.most_common()]
        for key, counted in counts.items()
    }


def target(rows: Sequence[Tags], project: Mapping[str, Any]) -> Shape:
    """Return whose card it is, and whether the catalog lets the reader fill it."""
    role = str(project.get("role") or "")
    members = project.get("members") or ()
    people = sorted(one["person"] for one in members if one.get("role") == "manager")
    ask = " or ".join(people[:3]) or "the facility's staff"
    closed = project.get("state") == "closed"
    return {
        "project": project["name"],
        "what": "image" if all(one.kind in ("image", "labels") for one in rows) else "record",
        "count": len(rows),
        "first": [{"uid": one.uid, "name": one.name} for one in rows[:NAMED]],
        "editable": role in MAY_TAG and not closed,
        "manages": role == "manager" and not closed,
        "ask": ask,
        "why": _why(project["name"], role, closed, ask),
    }


def _why(name: str, role: str, closed: bool, ask: str) -> str:
    if closed:
        return f"{name} is closed: its tags do not change until staff opens it again."
    if role in MAY_TAG:
        return ""
    mine = f"You are {role} in {name}" if role else f"You have no role in {name}"
    return f"{mine}: you see its tags. To change them, ask {ask} to make you annotator."


def _field(key: str, term: Mapping[str, Any], held: list[Shape] | None) -> Shape:
    return {
        "key": key,
        "term": str(term.get("uid") or ""),
        **texts(term, "type", "unit", "help", "kind", "scheme"),
        "many": bool(term.get("many")),
        "fresh": False,
        **_held(held or []),
    }


def _held(held: list[Shape]) -> Shape:
    return {"values": held[:SHOWN], "more": max(len(held) - SHOWN, 0)}


def _value(text: str, n: int, tag: Mapping[str, Any]) -> Shape:
    link = str(tag.get("link") or "")
    return {"text": text, "n": n, "source": str(tag.get("source") or ""), "link": link}
