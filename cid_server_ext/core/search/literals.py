"""Numbers, units, dates and ages as they are written in a query, and what they mean."""

from __future__ import annotations

import datetime as dt
import math
import re

from ...errors import BadInput
from .. import units
from .language import Amount, Day, Literal

# an age names the moment so long before now
AGES = {"h": 1.0, "d": 24.0, "w": 7 * 24.0, "y": 365 * 24.0}
OLDEST = 200 * AGES["y"]

_NUMBER = re.compile(
    r"([+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?)\s*([^\d\s].*)?"
)
_DAY = re.compile(r"[12]\d{3}-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d)?Z?)?)?")
_SECOND, _MINUTE = dt.timedelta(seconds=1), dt.timedelta(minutes=1)


def read(text: str) -> Literal | None:
    """Return the number, date or age that `text` is; None when it is none.

    Raises BadInput for a date that is not in the calendar and a unit that nobody knows.
    """
    clean = text.strip()
    if _DAY.fullmatch(clean):
        period(Day(clean), dt.datetime.now(dt.UTC))
        return Day(clean)
    found = _NUMBER.fullmatch(clean)
    if found is None:
        return None
    number, unit = float(found[1]), found[2] or ""
    if not math.isfinite(number):
        raise BadInput(f"{clean!r} is too large a number")
    if unit not in AGES:
        unit = units.known(unit).replace(" ", "*")
    return Amount(number, unit)


def period(literal: Literal, now: dt.datetime) -> tuple[dt.datetime, dt.datetime] | None:
    """Return from when to when (not included) a date is meant, in UTC; None when none is.

    An age is one moment: both are the same.
    """
    if isinstance(literal, Day):
        return _span(literal.text)
    if literal.unit == "" and literal.number in range(1000, 3000):
        year = int(literal.number)
        return _at(year), _at(year + 1)
    if literal.unit in AGES and 0 <= literal.number * AGES[literal.unit] <= OLDEST:
        moment = now - dt.timedelta(hours=literal.number * AGES[literal.unit])
        return moment, moment
    return None


def is_age(literal: Literal) -> bool:
    """Say whether it counts back from now."""
    return isinstance(literal, Amount) and literal.unit in AGES


def amount(literal: Literal, unit: str) -> float | None:
    """Return the number in `unit`; None when it has another dimension or is a date.

    A number that is written without a unit is taken to be in `unit`.
    """
    if isinstance(literal, Day):
        return None
    if literal.unit in ("", unit):
        return literal.number
    if not unit:
        return None
    try:
        return units.convert(literal.number, literal.unit, unit)
    except BadInput:
        return None


def _span(text: str) -> tuple[dt.datetime, dt.datetime]:
    day, _, time = text.removesuffix("Z").partition("T")
    numbers = [int(part) for part in (*day.split("-"), *(time.split(":") if time else ()))]
    try:
        if len(numbers) == 2:
            year, month = numbers
            return _at(year, month), _at(year + month // 12, month % 12 + 1)
        start = _at(*numbers)
    except ValueError:
        raise BadInput(f"{text!r} is not in the calendar") from None
    return start, start + {3: dt.timedelta(days=1), 5: _MINUTE, 6: _SECOND}[len(numbers)]


def _at(year: int, month: int = 1, *rest: int) -> dt.datetime:
    day, hour, minute, second = (*(rest or (1,)), 0, 0, 0)[:4]
    return dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
