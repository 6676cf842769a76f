"""A small picture of numbers over time, with the band that they may lie in, as SVG."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from .. import display

WIDTH, HEIGHT, EDGE = 220, 48, 5
GOOD, BAD, BAND = "#2e7d32", "#c62828", "#2e7d3222"


class Point(NamedTuple):
    """A number at a moment; `fine` tells if it lay where it may."""

    at: dt.datetime
    value: float
    fine: bool | None


def svg(points: Sequence[Point], name: str, low: float | None, high: float | None) -> str:
    """Return the trend of at least one number, the oldest first, above the band `low` to `high`.

    Its title tells the last numbers.
    """
    last = points[-1]
    ends = [end for end in (low, high) if end is not None]
    values = [point.value for point in points] + ends
    bottom, top = min(values), max(values)
    margin = (top - bottom) * 0.1 or abs(top) * 0.1 or 1.0
    bottom, top = bottom - margin, top + margin
    first, span = points[0].at, last.at - points[0].at

    def x(moment: dt.datetime) -> float:
        part = (moment - first) / span if span else 0.5
        return round(EDGE + part * (WIDTH - 2 * EDGE), 1)

    def y(value: float) -> float:
        return round(EDGE + (top - value) / (top - bottom) * (HEIGHT - 2 * EDGE), 1)

    parts = []
    if ends:
        upper = y(high) if high is not None else 0
        tall = (y(low) if low is not None else HEIGHT) - upper
        parts.append(f'<rect y="{upper}" width="{WIDTH}" height="{tall:g}" fill="{BAND}"/>')
    line = " ".join(f"{x(point.at)},{y(point.value)}" for point in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="currentColor" opacity="0.5"/>')
    for point in points:
        colour = {True: GOOD, False: BAD, None: "currentColor"}[point.fine]
        size = 3.5 if point is last else 2
        place = f'cx="{x(point.at)}" cy="{y(point.value)}"'
        parts.append(f'<circle {place} r="{size}" fill="{colour}"/>')
    told = ", ".join(f"{p.at:%Y-%m-%d}: {p.value:g}" for p in points[-6:])
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" style="vertical-align:middle">'
        f"<title>{display.cell(name)}: {told}</title>{''.join(parts)}</svg>"
    )
