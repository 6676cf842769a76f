"""Which records can answer a query at all, and the statements that find the ones that do.

The *driver* is the rarest of what must be true and has postings: values of a tag, datasets, else
EVERYTHING. Its postings in the caller's projects are read from the newest backwards, and each
candidate is asked the other conditions. Where these are rare and the driver is not, the sets of an
index (words, letters, numbers, digests) drive instead.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from ...db import fulltext
from ...db.tables import EVERYTHING, Posting, Record, Tag, Tally
from .. import policy
from . import language as q
from .conditions import Conditions, numbered
from .overlaps import CODES
from .resolve import Inside, Reach, Shown, Tagged
from .words import fold, tokens

FEW = 20_000  # postings of a driver that are read whole without a thought
NARROWING = 4  # sets of an index that are read; planning takes longer with each

_posting, _tally = Posting.__table__, Tally.__table__
_record, _tag = Record.__table__, Tag.__table__
_rows, _here = _posting.alias("rows"), _posting.alias("here")


@dataclass(frozen=True, slots=True)
class Plan:
    """How one query is answered for one caller."""

    where: Reach
    conditions: Conditions
    dialect: str
    node: q.Node
    entries: tuple[int, ...]  # the driver
    projects: frozenset[int] | None  # whose postings of it count
    codes: tuple[int, ...]  # kinds of posting
    tests: q.Node  # what the postings alone do not say
    size: int  # postings to read at most

    @property
    def exact(self) -> bool:
        """Say whether every posting of the driver is an answer."""
        return self.tests == q.EVERYTHING

    @property
    def whole(self) -> bool:
        """Say whether every record of some projects answers: what the tallies count."""
        return self.exact and self.entries == (EVERYTHING,) and self.where.actor.run_id is None

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of record that these kinds of posting stand for."""
        return [kind for kind, code in CODES.items() if code in self.codes]

    def newest(
        self, number: int, before: int | None, *, scan: int | None, oldest: bool = False
    ) -> Select[int]:
        """Select the newest (or oldest) answers before (or after) an id, in that order.

        With `scan`, only among so many of the newest candidates; else among all.
        """
        if scan is None and (self.sharp() or (self.size > FEW and self.sets())):
            found = self.matching(by_index=True).subquery()
            return _ordered(select(found.c[0]), found.c[0], number, before, oldest)
        inner = number if scan is None else scan
        tested = None if scan is not None else self.tests
        candidates = self._ranges(inner, before, oldest, tested)
        if scan is None or self.exact:
            return candidates
        newest = candidates.subquery()
        passing = select(newest.c[0]).where(self._test(newest.c[0]))
        return _ordered(passing, newest.c[0], number, None, oldest)

    def matching(self, *, by_index: bool | None = None) -> Select[int]:
        """Select the ids of all answers, each once, in no order."""
        if self.where.actor.run_id is not None:
            return self._reachable()
        if by_index is None:
            by_index = self.size > FEW
        if by_index and (sets := self.sets()):
            return self._reachable().where(*(_record.c.id.in_(each) for each in sets))
        found = select(_posting.c.record_id.label("id")).where(self._driven(_posting))
        return found.where(self._test(_posting.c.record_id)).distinct()

    def sets(self) -> list[Select[int]]:
        """Return selects of records, each of which every answer is in, that an index answers."""
        found = [each for node in q.top(self.node) if (each := self._set(node)) is not None]
        return found[:NARROWING]

    def sharp(self) -> bool:
        """Say whether a handful of records answers, found at once."""
        if self.where.actor.run_id is not None:
            return True
        named = [node for node in q.top(self.node) if isinstance(node, q.Is)]
        return any(node.key.name in ("id", "sha256", "run") for node in named)

    # --- parts --------------------------------------------------------------------------------

    def _test(self, record: ColumnElement[int]) -> ColumnElement[bool]:
        return true() if self.exact else self.conditions.clause(self.tests, record)

    def _driven(self, table: Any) -> ColumnElement[bool]:
        """Return the clause that keeps the driver's rows of `posting` or `tally`."""
        if not self.entries:
            return false()
        whose = true() if self.projects is None else table.c.project_id.in_(sorted(self.projects))
        return and_(table.c.entry.in_(self.entries), whose, table.c.kind.in_(self.codes))

    def _reachable(self) -> Select[int]:
        """Select by the record's own rows: its rights, its kind, and all that is asked."""
        asked = self.conditions.clause(self.node, _record.c.id)
        mine = policy.reachable(self.where.actor, "viewer", Record)
        return select(_record.c.id).where(mine, _record.c.kind.in_(self.kinds), asked)

    def _ranges(
        self, number: int, bound: int | None, oldest: bool, tests: q.Node | None
    ) -> Select[int]:
        """Select the ends of the driver's ranges, one for each entry, project and kind, merged."""
        ranges = select(_tally.c.entry, _tally.c.project_id, _tally.c.kind)
        ranges = ranges.where(self._driven(_tally), _tally.c.n > 0)
        each = ranges.subquery("each") if self.dialect == "postgresql" else ranges.alias("each")
        same = [_rows.c[name] == each.c[name] for name in ("entry", "project_id", "kind")]
        end = select(_rows.c.record_id).where(*same)
        if tests is not None:
            end = end.where(self._test(_rows.c.record_id))
        end = _ordered(end, _rows.c.record_id, number, bound, oldest, distinct=False)
        if self.dialect == "postgresql":
            lateral = end.lateral("ends")
            merged = select(lateral.c.record_id).select_from(each.join(lateral, true()))
            return _ordered(merged, lateral.c.record_id, number, None, oldest)
        same = [_here.c[name] == each.c[name] for name in ("entry", "project_id", "kind")]
        joined = each.join(_here, and_(*same, _here.c.record_id.in_(end.correlate(each))))
        # materialized: SQLite 3.40 stops too early where it thinks that it reads them in order
        ends = select(_here.c.record_id).select_from(joined).cte("ends")
        ends = ends.prefix_with("MATERIALIZED", dialect="sqlite")
        return _ordered(select(ends.c.record_id), ends.c.record_id, number, None, oldest)

    def _set(self, node: q.Node) -> Select[int] | None:
        text = self.conditions.fulltext
        match node:
            case q.Words():
                return text.with_words(tokens(node.text.text), whole=node.text.whole)
            case q.Is() if node.key.name == "name":
                parts = [fold(value.text) for value in node.values]
                if len(parts) == 1 and len(parts[0]) >= 3:
                    return text.with_letters(parts[0])
            case q.Is() if node.key.name in ("id", "sha256", "run"):
                clause = self.conditions.clause(node, _record.c.id)
                return select(_record.c.id).where(clause)
            case Tagged() if node.numbers and not node.values:
                return select(_tag.c.record_id).where(numbered(_tag, node))
        return None


def plan(session: Session, where: Reach, node: q.Node, kinds: frozenset[str]) -> Plan:
    """Choose how to answer a resolved query about records of these kinds."""
    dialect = session.get_bind().dialect.name
    conditions = Conditions(fulltext.of(dialect), dt.datetime.now(dt.UTC))
    parts = q.top(node)
    shown = next((part for part in parts if isinstance(part, Shown)), None)
    projects = where.projects
    if shown is not None:
        projects = frozenset(shown.projects) & (projects or frozenset(shown.projects))
    for part in parts:
        if isinstance(part, q.Is) and part.key == q.Key("kind", True):
            kinds &= {value.text for value in part.values}
    codes = tuple(sorted({CODES[kind] for kind in kinds}))
    drivers = _drivers(node)
    sizes = _sizes(session, where, projects, {EVERYTHING}.union(*drivers), codes)
    best = min(drivers, key=lambda entries: _total(sizes, entries), default=None)
    if best is None or _total(sizes, best) > sizes.get(EVERYTHING, 0):
        best = frozenset({EVERYTHING})
    if any(entry < 0 for entry in best):  # a dataset's postings are its own project's
        projects, shown = where.projects, None
    answered = [part for part in parts if part is shown or _driver(part) == best]
    if all(kind in kinds for kind in CODES if CODES[kind] in codes):
        answered += [p for p in parts if isinstance(p, q.Is) and p.key == q.Key("kind", True)]
        missing: q.Node = q.EVERYTHING
    else:
        missing = q.Is(q.Key("kind", True), tuple(q.Text(kind, True) for kind in sorted(kinds)))
    tests = q.all_of(*(part for part in parts if part not in answered), missing)
    return Plan(
        where,
        conditions,
        dialect,
        node,
        tuple(sorted(best)),
        projects,
        codes,
        tests,
        _total(sizes, best),
    )


def _drivers(node: q.Node) -> list[frozenset[int]]:
    """Return sets of entries; whatever answers the query has a posting in each of them."""
    found = (_driver(part) for part in q.top(node))
    return [entries for entries in found if entries is not None]


def _driver(node: q.Node) -> frozenset[int] | None:
    """Return the entries whose postings are exactly what the node asks for, if there are."""
    match node:
        case Tagged() if not node.numbers and not node.any:
            return frozenset(node.values)
        case Inside():
            return frozenset(-dataset for dataset in node.datasets)
        case q.Any():
            each = [_driver(inner) for inner in node.nodes]
            if all(entries is not None for entries in each):
                return frozenset().union(*(entries or () for entries in each))
    return None


def _sizes(
    session: Session,
    where: Reach,
    projects: frozenset[int] | None,
    entries: set[int],
    codes: tuple[int, ...],
) -> dict[int, int]:
    """Return how many postings each entry has: of datasets where they are, else in `projects`."""
    if where.actor.run_id is not None:
        return {}
    narrow = Reach(where.actor, projects).holds(_tally.c.project_id)
    counted = select(_tally.c.entry, func.sum(_tally.c.n)).where(
        _tally.c.entry.in_(sorted(entries)),
        where.holds(_tally.c.project_id),
        _tally.c.kind.in_(codes),
        or_(_tally.c.entry < 0, narrow) if projects != where.projects else true(),
    )
    return {entry: int(n) for entry, n in session.execute(counted.group_by(_tally.c.entry))}


def _total(sizes: dict[int, int], entries: frozenset[int]) -> int:
    return sum(sizes.get(entry, 0) for entry in entries)


def _ordered(
    found: Select[Any],
    column: ColumnElement[int],
    number: int,
    bound: int | None,
    oldest: bool,
    distinct: bool = True,
) -> Select[Any]:
    if bound is not None:
        found = found.where(column > bound if oldest else column < bound)
    if distinct:
        found = found.distinct()
    return found.order_by(column if oldest else column.desc()).limit(number)
