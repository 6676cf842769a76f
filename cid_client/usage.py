"""What a project holds, and how fast it grows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import Any

from . import display
from .wire import Session


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of a project: `used` is online and trashed; `linked` are charged elsewhere.

    `state` is ok, warning or full; `growth` is bytes in 30 days. `datasets`, `people` and `series`
    (one row a day) are lists of mappings, ready for a DataFrame.
    """

    limit: int
    soft: int | None
    used: int
    online: int
    trashed: int
    archived: int
    linked: int
    reserved: int
    free: int
    state: str
    growth: int | None
    days_to_full: int | None
    warning: str | None
    datasets: list[dict[str, Any]]
    people: list[dict[str, Any]]
    series: list[dict[str, Any]]

    def _repr_html_(self) -> str:
        told = [(f.name, getattr(self, f.name)) for f in fields(self) if f.type == "int"]
        sizes = [(name, display.size(number)) for name, number in told]
        return display.facts([("state", self.state), *sizes, ("warning", self.warning)])


def usage(session: Session, path: str, since: dt.date | None, until: dt.date | None) -> Usage:
    """Return the usage of the project at `path`; the days of its series are both in it."""
    asked = {"from": since and since.isoformat(), "to": until and until.isoformat()}
    told = session.get(f"{path}/usage", **asked)
    return Usage(**{f.name: told[f.name] for f in fields(Usage)})
