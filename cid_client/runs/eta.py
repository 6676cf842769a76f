"""When a run, or a batch, will end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Eta:
    """Four times of five it ends from `low` to `high`, in the middle at `likely`; times are UTC.

    Where its template has no history only `high` is known: when it is ended at most.
    """

    low: dt.datetime | None
    likely: dt.datetime | None
    high: dt.datetime

    @classmethod
    def of(cls, told: Mapping[str, str] | None) -> Eta | None:
        """Return the service's answer as an object; None where there is none."""
        if told is None:
            return None
        read = {name: dt.datetime.fromisoformat(text) for name, text in told.items() if text}
        return cls(read.get("low"), read.get("likely"), read["high"])

    def __str__(self) -> str:
        if self.low is None or self.likely is None:
            return f"{_clock(self.high)} at most"
        return f"about {_clock(self.likely)} ({_clock(self.low)} to {_clock(self.high)})"


def _clock(moment: dt.datetime) -> str:
    """Return the time as the clock on the wall says it, with the day if it is another."""
    local = moment.astimezone()
    today = dt.datetime.now().astimezone().date()
    return local.strftime("%H:%M" if local.date() == today else "%a %d %b %H:%M")
