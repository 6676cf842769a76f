"""Numbers from the tallies, where a record that several projects show is counted once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Select, func, select, true, union
from sqlalchemy.orm import Session

from ...db.tables import EVERYTHING, Dataset, Link, Record, Tag, Tally, Value
from . import index
from .language import KINDS

CODES = {kind: index.KIND.get(kind, index.FILE) for kind in KINDS}
_record, _link, _dataset, _tag = (m.__table__ for m in (Record, Link, Dataset, Tag))
_tally, _value = Tally.__table__, Value.__table__


def extra(projects: frozenset[int] | None, kinds: Iterable[str] = KINDS) -> Select[int, int]:
    """Select (record, in how many of these projects besides one it is shown), where there are."""
    linked = _link.join(_dataset, _dataset.c.id == _link.c.dataset_id)
    links = select(_link.c.record_id, _link.c.project_id).select_from(linked)
    links = links.where(_dataset.c.trash_id.is_(None), _among(_link.c.project_id, projects))
    homes = select(_record.c.id, _record.c.project_id).where(
        _record.c.id.in_(select(_link.c.record_id).where(_among(_link.c.project_id, projects))),
        _among(_record.c.project_id, projects),
    )
    places = union(links, homes).subquery("places")
    record, project = places.c
    alive = _record.alias()
    return (
        select(alive.c.id, (func.count(project) - 1).label("extra"))
        .select_from(places.join(alive, alive.c.id == record))
        .where(alive.c.trash_id.is_(None), alive.c.purged_at.is_(None))
        .where(alive.c.kind.in_(list(kinds)))
        .group_by(alive.c.id)
        .having(func.count(project) > 1)
    )


def tallied(
    projects: frozenset[int] | None, kinds: Iterable[str], terms: Sequence[int]
) -> Select[int, int]:
    """Select (entry, n) of values from the tallies, each record counted once."""
    codes = sorted({CODES[kind] for kind in kinds})
    summed = select(_tally.c.entry, func.sum(_tally.c.n).label("n")).where(
        _tally.c.entry > 0, _tally.c.n > 0, _tally.c.kind.in_(codes)
    )
    if projects is not None:
        summed = summed.where(_tally.c.project_id.in_(sorted(projects)))
    if terms:
        summed = summed.join(_value, _value.c.id == _tally.c.entry)
        summed = summed.where(_value.c.term_id.in_(terms))
    summed = summed.group_by(_tally.c.entry)
    if projects is not None and len(projects) < 2:
        return summed
    raw = summed.subquery("raw")
    twice = of_value(projects, kinds, *terms).subquery("too_many")
    once = raw.c.n - func.coalesce(twice.c.n, 0)
    joined = raw.outerjoin(twice, twice.c.value_id == raw.c.entry)
    return select(raw.c.entry, once.label("n")).select_from(joined)


def of_value(
    projects: frozenset[int] | None, kinds: Iterable[str], *terms: int
) -> Select[int, int]:
    """Select (value, how many times too many the tallies of these projects count it)."""
    twice = extra(projects, kinds).subquery("twice")
    joined = _tag.join(twice, twice.c.id == _tag.c.record_id)
    chosen = select(_tag.c.value_id, func.sum(twice.c.extra).label("n")).select_from(joined)
    chosen = chosen.where(_tag.c.value_id.is_not(None))
    if terms:
        chosen = chosen.where(_tag.c.term_id.in_(terms))
    return chosen.group_by(_tag.c.value_id)


def counted(
    session: Session, projects: frozenset[int] | None, entry: int, kinds: Iterable[str]
) -> int:
    """Return how many times too many the tallies of these projects count one entry."""
    if entry < 0 or (projects is not None and len(projects) < 2):
        return 0  # a dataset is in one project
    twice = extra(projects, kinds).subquery("twice")
    chosen = select(func.sum(twice.c.extra))
    if entry != EVERYTHING:
        tagged = _tag.join(twice, twice.c.id == _tag.c.record_id)
        chosen = chosen.select_from(tagged).where(_tag.c.value_id == entry)
    return int(session.scalar(chosen) or 0)


def _among(column: ColumnElement[int], projects: frozenset[int] | None) -> ColumnElement[bool]:
    return true() if projects is None else column.in_(sorted(projects))
