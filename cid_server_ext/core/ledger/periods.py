"""The periods that invoices are made for: 2026-10, 2026-Q3, 2026. Days are UTC days."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from ...errors import BadInput

LONGEST = 3660  # days of a series
NAMED = re.compile(r"(20[0-9]{2})(?:-(?:(0[1-9]|1[0-2])|Q([1-4])))?")


@dataclass(frozen=True, slots=True)
class Period:
    """From the `first` to the `last` day, both in it."""

    name: str
    first: dt.date
    last: dt.date


def named(name: str) -> Period:
    """Return the month, quarter or year of this name, or raise BadInput."""
    found = NAMED.fullmatch(name)
    if found is None:
        raise BadInput("period: a month 2026-10, a quarter 2026-Q3 or a year 2026")
    year, month, quarter = (int(part) if part else 0 for part in found.groups())
    begin, months = (month, 1) if month else (quarter * 3 - 2, 3) if quarter else (1, 12)
    after = begin + months
    end = dt.date(year + (after > 12), after - 12 if after > 12 else after, 1)
    return Period(name, dt.date(year, begin, 1), end - dt.timedelta(1))


def between(first: dt.date | None, last: dt.date | None, today: dt.date) -> tuple[dt.date, dt.date]:
    """Return the days of a series: the year up to today, where nothing else is said."""
    last = today if last is None else last
    first = max(last, dt.date(1971, 1, 1)) - dt.timedelta(365) if first is None else first
    if not 0 <= (last - first).days <= LONGEST:
        raise BadInput(f"from: not after to, and at most {LONGEST} days before it")
    return first, last
