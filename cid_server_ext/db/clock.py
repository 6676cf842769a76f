"""The database's clock: the only one that leases, duties and stamps are read from."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from .tables import UTC

log = logging.getLogger(__name__)

APART = dt.timedelta(minutes=5)  # by which clocks of two machines may differ


class current(FunctionElement[dt.datetime]):
    """The database's time inside a statement, to the millisecond on SQLite too."""

    inherit_cache = True
    type = UTC()


@compiles(current)
def _current(element: current, compiler: Any, **more: Any) -> str:
    return "CURRENT_TIMESTAMP"


@compiles(current, "sqlite")
def _current_on_sqlite(element: current, compiler: Any, **more: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"  # as UTC() keeps times


def now(session: Session) -> dt.datetime:
    """Return the database's time in UTC; PostgreSQL's is that of the transaction's start.

    An UPDATE that waited for another's so judges by a time that is too early, never too late.
    """
    return session.scalars(select(current())).one()


def trusted(session: Session) -> bool:
    """Say whether the database's clock and this machine's agree; where they do not, log it.

    Ask before doing what nobody can take back because a time has passed.
    """
    theirs, ours = now(session), dt.datetime.now(dt.UTC)
    if abs(theirs - ours) <= APART:
        return True
    log.error(
        "the database says it is %s, this machine %s: nothing is purged, charged or given up"
        " for its age until their clocks agree",
        theirs.isoformat(timespec="seconds"),
        ours.isoformat(timespec="seconds"),
    )
    return False


def after(session: Session, seconds: float) -> dt.datetime:
    """Return the database's time `seconds` from now."""
    return now(session) + dt.timedelta(seconds=seconds)
