"""Quality control of a microscope: its measurements as series, each with a picture of its trend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import display
from . import trend
from .standing import named

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Control:
    """One number that was measured of a microscope; `place` is an objective, laser or point.

    `fine` tells if it lies between `low` and `high`, None where neither was said. It is to be
    measured again until `due`, `every` so many days. `evidence` is the uid of the image or run that
    it was read from.
    """

    uid: str
    metric: str
    place: str
    measured_at: dt.datetime
    value: float
    unit: str
    low: float | None
    high: float | None
    fine: bool | None
    every: int | None
    due: dt.datetime | None
    evidence: str
    note: str
    person: str

    @property
    def name(self) -> str:
        """The metric and where it was measured."""
        return named(self.metric, self.place)

    def __str__(self) -> str:
        return f"{self.name} {self.value:g} {self.unit}".strip()


class Controls(list[Control]):
    """Measurements, the newest first; a notebook shows the trend of each series."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(_control(told) for told in answer["measurements"])

    @property
    def series(self) -> dict[str, list[Control]]:
        """Each series by its name, the oldest first."""
        found: dict[str, list[Control]] = {}
        for one in reversed(self):
            found.setdefault(one.name, []).append(one)
        return dict(sorted(found.items()))

    def to_pandas(self) -> pd.DataFrame:
        """Return the measurements as a table, one row each."""
        import pandas as pd

        words = ("measured_at", "metric", "place", "value", "unit", "low", "high", "fine", "note")
        return pd.DataFrame([[getattr(one, w) for w in words] for one in self], columns=list(words))

    def _repr_html_(self) -> str:
        if not self:
            return "<em>nothing was measured yet</em>"
        lines = "".join(_line(name, told) for name, told in self.series.items())
        head = "".join(f"<th style='text-align:left'>{w}</th>" for w in _HEAD)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


_HEAD = ("what", "trend", "last", "may be", "on", "again by", "by")


def body(
    measurements: Mapping[str, float] | Sequence[Mapping[str, Any]],
    *,
    unit: str,
    place: str,
    low: float | None,
    high: float | None,
    every: int | None = None,
) -> list[dict[str, Any]]:
    """Return what the catalog takes: `{metric: value}` shares the rest, rows say their own."""
    shared = {"unit": unit, "place": place, "low": low, "high": high, "every": every}
    if isinstance(measurements, Mapping):
        rows: list[Mapping[str, Any]] = [
            {"metric": metric, "value": value} for metric, value in measurements.items()
        ]
    else:
        rows = list(measurements)
    return [{k: v for k, v in {**shared, **row}.items() if v not in (None, "")} for row in rows]


def _line(name: str, told: Sequence[Control]) -> str:
    last = told[-1]
    points = [trend.Point(one.measured_at, one.value, one.fine) for one in told]
    ends = [f"{end:g}" if end is not None else "" for end in (last.low, last.high)]
    may = f"{ends[0]} – {ends[1]}" if all(ends) else f"≥ {ends[0]}" if ends[0] else f"≤ {ends[1]}"
    mark = {True: "✓", False: "✗", None: ""}[last.fine]
    cells = (
        display.cell(name),
        trend.svg(points, name, last.low, last.high),
        display.cell(f"{last.value:g} {last.unit} {mark}".strip()),
        display.cell(may if any(ends) else ""),
        display.cell(f"{last.measured_at:%Y-%m-%d}"),
        display.cell(f"{last.due:%Y-%m-%d}" if last.due else ""),
        display.cell(last.person),
    )
    return "<tr>" + "".join(f"<td style='text-align:left'>{cell}</td>" for cell in cells) + "</tr>"


def _control(told: Mapping[str, Any]) -> Control:
    moment = dt.datetime.fromisoformat(told["measured_at"])
    due = dt.datetime.fromisoformat(told["due"]) if told["due"] else None
    return Control(**{**told, "measured_at": moment, "due": due})
