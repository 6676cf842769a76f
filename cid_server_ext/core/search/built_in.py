"""Facets of what every record has: project, dataset, kind, by, month and year."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, func, select, true, union_all

from ...db.tables import Dataset, Link, Project, Record
from .plan import Plan

# keys of a query that count as a facet's own
OWN = {
    "project": frozenset({"project", "team"}),
    "dataset": frozenset({"in"}),
    "kind": frozenset({"kind"}),
    "by": frozenset({"by"}),
    "month": frozenset({"date", "acquired", "created"}),
    "year": frozenset({"date", "acquired", "created"}),
}
_record, _link, _dataset, _project = (m.__table__ for m in (Record, Link, Dataset, Project))


def counts(name: str, chosen: Plan, most: int) -> Select[str, int]:
    """Select (value, number of records), the most frequent first."""
    return COUNTED[name](chosen, most)


def _of_record(column: Any) -> Callable[[Plan, int], Select[Any]]:
    def counted(chosen: Plan, most: int) -> Select[Any]:
        ids = chosen.matching().subquery()
        shown = column(chosen.dialect).label("value")
        found = select(shown, func.count().label("n"))
        found = found.select_from(ids.join(_record, _record.c.id == ids.c[0]))
        return found.group_by(shown).order_by(func.count().desc(), shown).limit(most)

    return counted


def _month(length: int) -> Callable[[str], Any]:
    """Return the first characters of the date in UTC: 7 are a month, 4 a year."""
    at = func.coalesce(_record.c.acquired_at, _record.c.created_at)

    def shown(dialect: str) -> Any:
        if dialect == "postgresql":
            pattern = "YYYY-MM"[:length]
            return func.to_char(func.timezone("UTC", at), pattern)
        return func.strftime("%Y-%m"[: 5 if length == 7 else 2], at)

    return shown


def _projects(chosen: Plan, most: int) -> Select[Any]:
    places = _places(chosen).subquery()
    distinct = select(places.c.id, places.c.project_id).distinct().subquery()
    found = select(_project.c.name, func.count()).select_from(
        distinct.join(_project, _project.c.id == distinct.c.project_id)
    )
    return (
        found.group_by(_project.c.name).order_by(func.count().desc(), _project.c.name).limit(most)
    )


def _datasets(chosen: Plan, most: int) -> Select[Any]:
    places = _places(chosen).subquery()
    shown = _project.c.name + "/" + _dataset.c.path
    found = select(shown, func.count()).select_from(
        places.join(_dataset, _dataset.c.id == places.c.dataset_id).join(_project)
    )
    return found.group_by(shown).order_by(func.count().desc(), shown).limit(most)


def _places(chosen: Plan) -> Select[Any]:
    """Select where each answer is shown, in the caller's projects."""
    ids = chosen.matching().cte("answers")
    mine = chosen.where.projects
    within = (lambda c: true()) if mine is None else (lambda c: c.in_(sorted(mine)))
    homes = select(_record.c.id, _record.c.project_id, _record.c.dataset_id)
    homes = homes.select_from(ids.join(_record, _record.c.id == ids.c[0]))
    links = select(_link.c.record_id, _link.c.project_id, _link.c.dataset_id).select_from(
        ids.join(_link, _link.c.record_id == ids.c[0]).join(
            _dataset, _dataset.c.id == _link.c.dataset_id
        )
    )
    both = union_all(
        homes.where(within(_record.c.project_id)),
        links.where(within(_link.c.project_id), _dataset.c.trash_id.is_(None)),
    ).subquery("places")
    return select(both)


COUNTED: dict[str, Callable[[Plan, int], Select[Any]]] = {
    "project": _projects,
    "dataset": _datasets,
    "kind": _of_record(lambda dialect: _record.c.kind),
    "by": _of_record(lambda dialect: _record.c.created_by),
    "month": _of_record(_month(7)),
    "year": _of_record(_month(4)),
}
