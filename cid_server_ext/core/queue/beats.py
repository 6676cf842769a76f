"""Which conductors work: each says so now and then, by the database's clock."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Conducting

SILENT = 60.0  # seconds after which one that said nothing counts as dead; its leases end then
FORGOTTEN = 3600.0


def beat(session: Session, conductor: str) -> None:
    """Say that the conductor works; forget those that were silent for long."""
    now = clock.now(session)
    seen: CursorResult[object] = session.execute(  # type: ignore[assignment]
        update(Conducting).where(Conducting.conductor == conductor).values(seen_at=now)
    )
    if not seen.rowcount:
        session.add(Conducting(conductor=conductor, since=now, seen_at=now))
        old = now - dt.timedelta(seconds=FORGOTTEN)
        session.execute(delete(Conducting).where(Conducting.seen_at < old))


def over(session: Session, conductor: str) -> None:
    """Say that the conductor stops."""
    session.execute(delete(Conducting).where(Conducting.conductor == conductor))


def known(session: Session) -> list[Conducting]:
    """Return those that work, and those that fell silent within the hour; the last to speak first.

    One that was stopped is not among them: only one that died falls silent.
    """
    lately = clock.now(session) - dt.timedelta(seconds=FORGOTTEN)
    asked = select(Conducting).where(Conducting.seen_at >= lately)
    return list(session.scalars(asked.order_by(Conducting.seen_at.desc(), Conducting.conductor)))
