"""What the ledger tells over time: bytes and seconds by day, and how fast a project grows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ...db.tables import Line, Project
from .holdings import Bytes

MONTH = 30  # days, in "growth in a month"
KNOWN = 7  # days that must be known before growth is told


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a project: bytes held at its end, seconds of runs that ended in it."""

    day: dt.date
    storage: int = 0
    archive: int = 0
    gpu: int = 0
    cpu: int = 0


def days(
    session: Session, project_id: int, first: dt.date, last: dt.date, today: dt.date, held: Bytes
) -> list[Day]:
    """Return the days that the ledger knows of, and today, from `first` to `last`.

    A day whose bytes are not in the ledger yet has those that are `held` now. Credits are left out.
    """
    asked = (
        select(Line.day, Line.kind, func.sum(Line.amount))
        .where(Line.project_id == project_id, Line.day.between(first, last), Line.amount >= 0)
        .group_by(Line.day, Line.kind)
    )
    found: dict[dt.date, dict[str, int]] = defaultdict(dict)
    for day, kind, amount in session.execute(asked):
        found[day][kind] = int(amount)
    if first <= today <= last:
        found[today] |= {}
    now = {"storage": held.used, "archive": held.archived}
    return [
        Day(day, **(kinds if "storage" in kinds else now | kinds))
        for day, kinds in sorted(found.items())
    ]


def growth(
    session: Session, today: dt.date, which: ColumnElement[bool] | None = None
) -> dict[int, int]:
    """Return the bytes by which each project grows in 30 days, from the month that has passed.

    A project of which the ledger knows less than a week is left out.
    """
    asked = (
        select(Line.project_id, Line.day, Line.amount)
        .where(Line.kind == "storage", Line.amount >= 0)
        .where(Line.day.between(today - dt.timedelta(MONTH + 1), today))
        .order_by(Line.day)
    )
    if which is not None:
        asked = asked.where(Line.project_id.in_(select(Project.id).where(which)))
    known: dict[int, list[tuple[dt.date, int]]] = defaultdict(list)
    for project_id, day, amount in session.execute(asked):
        known[project_id].append((day, amount))
    return {
        project_id: round((ends[-1][1] - ends[0][1]) * MONTH / apart)
        for project_id, ends in known.items()
        if (apart := (ends[-1][0] - ends[0][0]).days) >= KNOWN
    }
