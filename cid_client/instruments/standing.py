"""How the microscopes of a facility stand: quality control, images, last use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import display

WORDS = {
    "within": "within limits",
    "out": "out of limits",
    "overdue": "overdue",
    "never": "not measured",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One microscope; `control` is within, out (of limits), overdue, or never (measured).

    `images` are those that I may see, `out` and `overdue` the series that are so.
    """

    uid: str
    name: str
    images: int
    last_used: dt.datetime | None
    control: str
    measured_at: dt.datetime | None
    out: tuple[str, ...]
    overdue: tuple[str, ...]

    @property
    def why(self) -> str:
        """Which series are out of limits or overdue, in words."""
        told = {"out of limits": self.out, "overdue": self.overdue}
        return "; ".join(f"{word}: {', '.join(names)}" for word, names in told.items() if names)


class Standings(list[Standing]):
    """All microscopes by name; a notebook shows them as a table."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(_standing(told) for told in answer["instruments"])

    def _repr_html_(self) -> str:
        head = ["name", "images", "last used", "quality control", "measured"]
        return display.table(head, map(_line, self))


def named(metric: str, place: str) -> str:
    """Return a series as people call it."""
    return f"{metric} ({place})" if place else metric


def _line(one: Standing) -> list[Any]:
    control = one.why or WORDS[one.control]
    return [one.name, one.images, _day(one.last_used), control, _day(one.measured_at)]


def _standing(told: Mapping[str, Any]) -> Standing:
    moments = {key: _moment(told[key]) for key in ("last_used", "measured_at")}
    series = {
        key: tuple(named(one["metric"], one["place"]) for one in told[key])
        for key in ("out", "overdue")
    }
    return Standing(**{**told, **moments, **series})


def _moment(told: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(told) if told else None


def _day(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""
