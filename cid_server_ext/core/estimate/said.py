"""Times as people say them: "about 12 min (8 to 20)"."""

from __future__ import annotations

UNITS = (("s", 1.0, 90.0), ("min", 60.0, 90 * 60.0), ("h", 3600.0, 48 * 3600.0))
DAYS = ("d", 86400.0)


def time(seconds: float) -> str:
    """Return "40 s", "12 min", "2.5 h" or "3 d"."""
    unit, length = ("h", 3600.0) if seconds == 3600 else _unit(seconds)
    return f"{_number(seconds / length)} {unit}"


def interval(low: float, likely: float, high: float) -> str:
    """Return "about 12 min (8 to 20)", all in the unit of the likely one."""
    unit, length = _unit(likely)
    least, middle, most = (_number(seconds / length) for seconds in (low, likely, high))
    around = "" if least == middle == most else f" ({least} to {most})"
    return f"about {middle} {unit}{around}"


def _unit(seconds: float) -> tuple[str, float]:
    return next(((unit, length) for unit, length, below in UNITS if seconds < below), DAYS)


def _number(value: float) -> str:
    """Return whole numbers, below ten with a half at most."""
    near = round(value * 2) / 2 if value < 10 else round(value)
    return f"{near:g}"
