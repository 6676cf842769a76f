"""In which order answers come, and the token that says where the next page begins.

Of two records that are alike the newer one is first; what has no value for the key is last.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from ...db.tables import Document, Record, Tag
from ...errors import BadInput
from .language import tag_key
from .resolve import Reach, keys

NEWEST, OLDEST = "newest", "oldest"
CORE = ("name", "size", "acquired", "completeness")
LONGEST = 120

_UNFIT = re.compile(r"[\x00\ud800-\udfff]")
_record, _document, _tag = Record.__table__, Document.__table__, Tag.__table__


@dataclass(frozen=True, slots=True)
class Sort:
    """By what; `terms` for a key of the vocabulary."""

    name: str
    down: bool = False
    terms: tuple[int, ...] = ()

    @property
    def by_age(self) -> bool:
        """Say whether records come in the order of their ids."""
        return self.name in (NEWEST, OLDEST)


@dataclass(frozen=True, slots=True)
class After:
    """The last record of the page before: its value and its id."""

    id: int
    value: Any = None


def read(session: Session, where: Reach, text: str) -> Sort:
    """Return the order that `text` names ("-" turns it round), or raise BadInput."""
    down, name = text.startswith("-"), text.removeprefix("-")
    if name in (NEWEST, OLDEST) and not down:
        return Sort(name)
    if name in CORE:
        return Sort(name, down)
    folded = tag_key(name[:LONGEST])
    found = keys(session, [folded]).get(folded, [])
    sortable = [key for key in found if key.type in ("number", "date")]
    mine = [
        key
        for key in sortable
        if key.project_id is None or where.projects is None or key.project_id in where.projects
    ]
    if not mine:
        names = ", ".join((NEWEST, OLDEST, *CORE))
        raise BadInput(f"sort: {text[:60]!r} is not one of {names} or a number or date key")
    return Sort(folded, down, tuple(key.id for key in sortable))


def page(
    found: Select[int], sort: Sort, dialect: str, number: int, after: After | None
) -> Select[Any]:
    """Select (id, value) of the first `number` of what was found, in this order."""
    ids = found.subquery("found")
    valued = _VALUES.get(sort.name, _number)(ids.c[0], sort).subquery("valued")
    value: ColumnElement[Any] = valued.c.value
    if sort.name == "name":  # bytes of UTF-8 are compared, on every database
        value = value.collate("C" if dialect == "postgresql" else "BINARY")
    chosen = select(valued.c.id, valued.c.value)
    if after is not None:
        chosen = chosen.where(_beyond(value, valued.c.id, sort, after))
    order = value.desc() if sort.down else value.asc()
    return chosen.order_by(value.is_(None), order, valued.c.id.desc()).limit(number)


def token(sort: Sort, last: After) -> str:
    """Return the text that a page gives to be asked for the next one."""
    if sort.by_age:
        return str(last.id)
    value = last.value.isoformat() if isinstance(last.value, dt.datetime) else last.value
    told = json.dumps([("-" if sort.down else "") + sort.name, value, last.id])
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def after(sort: Sort, text: str | None) -> After | None:
    """Return where a page begins, or raise BadInput for a token that this order never gave."""
    if text is None:
        return None
    wrong = BadInput("after: pass the `next` of the page before, with the same sort")
    if sort.by_age:
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise wrong
        return After(int(text))
    try:
        padded = text.encode() + b"=" * (-len(text) % 4)
        name, value, last = json.loads(base64.urlsafe_b64decode(padded))
        good = name == ("-" if sort.down else "") + sort.name
        if sort.name == "acquired" and value is not None:
            value = dt.datetime.fromisoformat(value)
            good = good and value.tzinfo is not None
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise wrong from None
    if not good or type(last) is not int or not 0 <= last < 2**63 or not _fits(sort, value):
        raise wrong
    return After(last, value)


def _fits(sort: Sort, value: Any) -> bool:
    if value is None or sort.name == "acquired":
        return True
    if sort.name == "name":
        return isinstance(value, str) and not _UNFIT.search(value)
    if sort.name == "size":
        return type(value) is int and 0 <= value < 2**63
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < 1e300


def _beyond(
    value: ColumnElement[Any], record: ColumnElement[int], sort: Sort, last: After
) -> ColumnElement[bool]:
    if last.value is None:
        return and_(value.is_(None), record < last.id)
    further = value < last.value if sort.down else value > last.value
    return or_(further, and_(value == last.value, record < last.id), value.is_(None))


def _of_record(name: str) -> Callable[[Any, Sort], Select[Any]]:
    column = _record.c[name]

    def valued(ids: Any, sort: Sort) -> Select[Any]:
        joined = _record.join(ids.table, ids == _record.c.id)
        return select(_record.c.id.label("id"), column.label("value")).select_from(joined)

    return valued


def _of_document(name: str) -> Callable[[Any, Sort], Select[Any]]:
    column = _document.c[name]

    def valued(ids: Any, sort: Sort) -> Select[Any]:
        joined = _document.join(ids.table, ids == _document.c.record_id)
        chosen = select(_document.c.record_id.label("id"), column.label("value"))
        return chosen.select_from(joined)

    return valued


def _number(ids: Any, sort: Sort) -> Select[Any]:
    lowest = select(func.min(_tag.c.number)).where(
        _tag.c.record_id == ids, _tag.c.term_id.in_(sort.terms), _tag.c.number.is_not(None)
    )
    return select(ids.label("id"), lowest.scalar_subquery().label("value"))


_VALUES: dict[str, Callable[[Any, Sort], Select[Any]]] = {
    "name": _of_document("name"),
    "completeness": _of_document("completeness"),
    "size": _of_record("nbytes"),
    "acquired": _of_record("acquired_at"),
}
