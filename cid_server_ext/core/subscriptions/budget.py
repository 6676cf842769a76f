"""What a subscription may spend: runs in all, runs a day and bytes, by one conditional UPDATE."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, case, or_, update
from sqlalchemy.orm import Session

from ...db import capture
from ...db.tables import Subscription
from ..ledger.allocations import human

CAPTURED = {"captured": True}


@dataclass(frozen=True, slots=True)
class Limits:
    """The most runs in all, the most that begin on one day (UTC), the most bytes reserved."""

    runs: int | None = None
    runs_a_day: int | None = None
    nbytes: int | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why a subscription cannot go on: a word for us, a sentence for people, bytes it needs."""

    cause: str
    reason: str
    needs: int = 0


def charge(session: Session, row: Subscription, runs: int, nbytes: int, day: dt.date) -> bool:
    """Take runs and their bytes out of the budget, or return False and change nothing."""
    table = Subscription
    fits = [
        table.state != "ended",
        or_(table.most_runs.is_(None), table.runs + runs <= table.most_runs),
        or_(table.most_bytes.is_(None), table.nbytes + nbytes <= table.most_bytes),
        or_(
            table.most_a_day.is_(None),
            case((table.day == day, table.today), else_=0) + runs <= table.most_a_day,
        ),
    ]
    session.flush()
    capture.touch(session, table, [row.id])
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(table)
        .where(table.id == row.id, *fits)
        .values(
            runs=table.runs + runs,
            nbytes=table.nbytes + nbytes,
            today=case((table.day == day, table.today + runs), else_=runs),
            day=day,
        ),
        execution_options=CAPTURED | {"synchronize_session": False},
    )
    session.refresh(row)
    return bool(done.rowcount)


def reached(row: Subscription, nbytes: int, day: dt.date) -> Stopped | None:
    """Return which limit one more run of `nbytes` would pass, or None."""
    if row.most_runs is not None and row.runs >= row.most_runs:
        said = f"its budget of {_runs(row.most_runs)} is spent: raise it to go on"
        return Stopped("budget", said, nbytes)
    if row.most_bytes is not None and row.nbytes + nbytes > row.most_bytes:
        said = (
            f"{human(row.nbytes)} of its budget of {human(row.most_bytes)} are spent and the next"
            f" run needs {human(nbytes)}: raise it to go on"
        )
        return Stopped("budget", said, nbytes)
    if row.most_a_day is not None and row.day == day and row.today >= row.most_a_day:
        said = f"{_runs(row.most_a_day)} of this day began: it goes on at midnight UTC"
        return Stopped("day", said, nbytes)
    return None


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"
