"""The tags of many records as people read them, in one query however many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db import tables as t
from . import values


@dataclass(frozen=True, slots=True)
class Tag:
    """One typed value and where it came from; `link` is an identifier's or concept's address."""

    key: str
    value: str
    number: float | None
    unit: str
    kind: str
    source: str
    set_by: str
    link: str


def tags(session: Session, record_ids: Iterable[int]) -> dict[int, list[Tag]]:
    """Return the tags of each record, in the order they were set."""
    found: dict[int, list[Tag]] = {record: [] for record in record_ids}
    for (
        record, number, entered, source, set_by, text, iri, key, unit, kind, type, scheme, link,
    ) in session.execute(_TAGS.where(_tag.c.record_id.in_(found))):  # fmt: skip
        shown, address = entered or "", ""
        if text is not None:
            shown, address = text, values.link(type, scheme, link, text, iri)
        found[record].append(Tag(key, shown, number, unit, kind, source, set_by, address))
    return found


_tag, _value, _term = (model.__table__ for model in (t.Tag, t.Value, t.Term))
_TAGS = (
    select(
        *(_tag.c[name] for name in ("record_id", "number", "text", "source", "set_by")),
        *(_value.c[name] for name in ("text", "iri")),
        *(_term.c[name] for name in ("key", "unit", "kind", "type", "scheme", "link")),
    )
    .select_from(
        _tag.join(_term, _term.c.id == _tag.c.term_id).outerjoin(
            _value, _value.c.id == _tag.c.value_id
        )
    )
    .order_by(_tag.c.id)
)
