"""What a query asks, as a WHERE clause on one record's id: true or false, never unknown.

It reads a record's own rows (`tag`, `document`, `record`, `link`) by their keys, so it costs the
same for each candidate, however common what it asks for is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    FromClause,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
    type_coerce,
)

from ...db.fulltext import FullText
from ...db.tables import Dataset, Document, Instrument, Link, Record, Reference, Run, Tag
from . import language as q
from . import literals
from .resolve import Inside, Interval, Said, Shown, Tagged
from .words import HOME, fold, tokens

Table = FromClause
Column = ColumnElement[Any]
Test = Callable[[Table], ColumnElement[bool]]

# micrometres in a unit of length, by the names of OME
MICROMETRES = {
    "meter": 1e6,
    "decimeter": 1e5,
    "centimeter": 1e4,
    "millimeter": 1e3,
    "micrometer": 1.0,
    "nanometer": 1e-3,
    "angstrom": 1e-4,
    "picometer": 1e-6,
}
DERIVED = frozenset({"name", "channel", "completeness", "unknown"})  # kept in `document`
JOINED = 8  # conditions that PostgreSQL may make joins of; it would plan 60 of them for seconds
_TICK = dt.timedelta(microseconds=1)
# names of their own, so that none is taken for a table of the statement around a clause
_document, _record, _tag, _link, _dataset = (
    model.__table__.alias(f"own_{model.__tablename__}")
    for model in (Document, Record, Tag, Link, Dataset)
)
_original = Record.__table__.alias("own_original")
_run = Run.__table__
_reference = Reference.__table__
_scope = Instrument.__table__
_ONE: ColumnElement[int] = literal_column("1")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Makes clauses for one database at one moment."""

    fulltext: FullText
    now: dt.datetime

    def clause(self, node: q.Node, record: Column) -> ColumnElement[bool]:
        """Return the clause that says whether the record with this id fits a resolved query."""
        match node:
            case q.Not():
                return not_(self.clause(node.node, record))
            case q.All():
                each = [self.clause(inner, record) for inner in node.nodes]
                return and_(true(), *(each if len(each) <= JOINED else map(_apart, each)))
            case q.Any():
                return or_(false(), *(self.clause(inner, record) for inner in node.nodes))
            case Tagged():
                return _tagged(node, record)
            case Inside():
                return _inside(node, record)
            case Shown():
                return _shown(node, record)
            case Said():
                return _row(_document, record, lambda t: self._said(node, t))
            case q.Is():
                test = self._is(node)
                own = _document if node.key.name in DERIVED else _record
                return _row(own, record, test)
            case q.Between():
                own = _document if node.key.name in DERIVED else _record
                return _row(own, record, lambda t: self._between(node, t))
        raise TypeError(node)

    def _said(self, node: Said, t: Table) -> ColumnElement[bool]:
        needle = _needle(node.text)
        found = self._has(" ", t.c.words, " ", needle)
        if node.homes is None:
            return found
        apart = self.fulltext.contains(t.c.words, HOME)
        own = self._has(" ", self.fulltext.before(t.c.words, HOME), "", needle)
        mine = sorted(node.homes)
        at_home = _row(_record, t.c.record_id, lambda r: r.c.project_id.in_(mine))
        return and_(found, or_(not_(apart), own, at_home))

    def _has(self, before: str, column: Column, after: str, text: str) -> ColumnElement[bool]:
        return self.fulltext.contains(literal(before) + column + literal(after), text)

    def _is(self, node: q.Is) -> Test:
        values = node.values
        texts = [value.text for value in values]
        lower = [text.lower() for text in texts]
        whole = [fold(value.text) for value in values if value.whole]
        parts = [value for value in values if not value.whole]
        match node.key.name:
            case "name":
                return lambda t: or_(
                    t.c.name.in_(whole),
                    *(self.fulltext.contains(t.c.name, fold(part.text)) for part in parts),
                )
            case "channel":
                return lambda t: or_(
                    *(self.fulltext.contains(t.c.channels, _channel(value)) for value in values)
                )
            case "unknown":
                return lambda t: or_(
                    *(self.fulltext.contains(t.c.missing, f"| {q.tag_key(x)} |") for x in texts)
                )
            case "kind":
                return lambda t: t.c.kind.in_(texts)
            case "by":
                return lambda t: t.c.created_by.in_([*texts, *lower])
            case "dtype":
                return lambda t: t.c.dtype.in_(lower)
            case "axes" if values[0].whole:
                return lambda t: t.c.axes.in_(lower)
            case "axes":
                return lambda t: or_(
                    *(
                        and_(*(self.fulltext.contains(t.c.axes, axis) for axis in set(axes)))
                        for axes in lower
                    )
                )
            case "fixity":
                found = select(_reference.c.record_id).where(_found(lower))
                return lambda t: or_(t.c.id.in_(found), t.c.original_id.in_(found))
            case "instrument":
                called = _scope.c.folded.in_([fold(text) for text in texts])
                scopes = select(_scope.c.id).where(or_(called, _scope.c.uid.in_(lower)))
                return lambda t: t.c.instrument_id.in_(scopes)
            case "run":
                runs = select(_run.c.id).where(_run.c.uid.in_(lower))
                return lambda t: t.c.run_id.in_(runs)
            case "id":
                return lambda t: t.c.uid.in_(lower)
            case "sha256":
                same = select(_original.c.id).where(_original.c.sha256.in_(lower))
                return lambda t: or_(t.c.sha256.in_(lower), t.c.original_id.in_(same))
        raise TypeError(node)

    def _between(self, node: q.Between, t: Table) -> ColumnElement[bool]:
        match node.key.name:
            case "completeness":
                return within(t.c.completeness, self._numbers(node, ""))
            case "size":
                return within(t.c.nbytes, self._numbers(node, "B"))
            case "pixel_size":
                scale, unit = t.c.scale["x"].as_float(), t.c.units["x"].as_string()
                return within(scale * case(MICROMETRES, value=unit), self._numbers(node, "µm"))
            case "created":
                return self._dates(node, t.c.created_at)
            case "acquired":
                return self._dates(node, t.c.acquired_at)
            case "date":
                return self._dates(node, func.coalesce(t.c.acquired_at, t.c.created_at))
        raise TypeError(node)

    def _numbers(self, node: q.Between, unit: str) -> Interval:
        low, high = (literals.amount(end, unit) if end else None for end in (node.low, node.high))
        return Interval(low, high, node.low_in, node.high_in)

    def _dates(self, node: q.Between, column: Column) -> ColumnElement[bool]:
        """Compare with a tick before: SQLite keeps some times with and some without fractions."""
        ends = (node.low, node.high)
        low, high = (literals.period(end, self.now) if end else None for end in ends)
        clauses: list[ColumnElement[bool]] = [column.is_not(None)]
        if low is not None:
            clauses.append(column > low[0 if node.low_in else 1] - _TICK)
        if high is not None:
            clauses.append(column <= high[1 if node.high_in else 0] - _TICK)
        return and_(*clauses)


def _found(states: list[str]) -> ColumnElement[bool]:
    """Return the clause that keeps references whose bytes were found in one of these states."""
    unread = _reference.c.hashed_at.is_(None)
    return or_(_reference.c.state.in_(states), *([unread] if "unhashed" in states else []))


def within(column: Column, between: Interval) -> ColumnElement[bool]:
    """Return the clause that keeps numbers of an interval; one that is absent is in none."""
    column = type_coerce(column, Float(53))  # whatever it is, it meets numbers with fractions
    clauses: list[ColumnElement[bool]] = [column.is_not(None)]
    if between.low is not None:
        clauses.append(column >= between.low if between.low_in else column > between.low)
    if between.high is not None:
        clauses.append(column <= between.high if between.high_in else column < between.high)
    return and_(*clauses)


def numbered(tag: Table, node: Tagged) -> ColumnElement[bool]:
    """Return the clause on `tag` that keeps the numbers that are asked for."""
    return or_(
        false(),
        *(
            and_(tag.c.term_id == term, within(tag.c.number, between))
            for term, between in node.numbers
        ),
    )


def _apart(clause: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the same clause, asked record by record."""
    return case((clause, true()), else_=false())


def _tagged(node: Tagged, record: Column) -> ColumnElement[bool]:
    if not (node.values or node.numbers or (node.any and node.terms)):
        return false()
    if node.any:
        asked: ColumnElement[bool] = _tag.c.term_id.in_(node.terms)
    else:
        valued = and_(_tag.c.term_id.in_(node.terms), _tag.c.value_id.in_(node.values))
        asked = or_(*([valued] if node.values else []), numbered(_tag, node))
    return exists(select(_ONE).select_from(_tag).where(_tag.c.record_id == record, asked))


def _inside(node: Inside, record: Column) -> ColumnElement[bool]:
    if not node.datasets:
        return false()
    linked = select(_ONE).select_from(_link).where(_link.c.record_id == record)
    return or_(
        _row(_record, record, lambda t: t.c.dataset_id.in_(node.datasets)),
        exists(linked.where(_link.c.dataset_id.in_(node.datasets))),
    )


def _shown(node: Shown, record: Column) -> ColumnElement[bool]:
    if not node.projects:
        return false()
    linked = (
        select(_ONE)
        .select_from(_link.join(_dataset, _dataset.c.id == _link.c.dataset_id))
        .where(_link.c.record_id == record, _link.c.project_id.in_(node.projects))
        .where(_dataset.c.trash_id.is_(None))
    )
    return or_(
        _row(_record, record, lambda t: t.c.project_id.in_(node.projects)),
        exists(linked),
    )


def _row(table: Any, record: Column, test: Test) -> ColumnElement[bool]:
    """Return whether the record's own row in a table passes; a row with NULLs does not."""
    key = table.c.id if table is _record else table.c.record_id
    return exists(select(_ONE).select_from(table).where(key == record, test(table)))


def _needle(text: q.Text) -> str:
    """Return the words as they stand in a document: a blank before each, and after a whole one."""
    return f" {' '.join(tokens(text.text))}" + (" " if text.whole else "")


def _channel(value: q.Text) -> str:
    words = " ".join(tokens(value.text))
    return f"| {words} |" if value.whole else f" {words}"
