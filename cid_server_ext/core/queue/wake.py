"""Tells the conductors that something may be claimed: at the commit, where the database can."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

CHANNEL = "cid_queue"
CALLED = "called"  # the transaction in which it was done
_CALL = text("SELECT pg_notify(:channel, '')")


def call(session: Session) -> None:
    """Wake who listens on CHANNEL when this commits. On SQLite they look several times a second."""
    transaction = session.get_transaction()
    if session.info.get(CALLED) is transaction and transaction is not None:
        return  # once is enough
    if session.connection().dialect.name == "postgresql":
        session.execute(_CALL, {"channel": CHANNEL})
    session.info[CALLED] = session.get_transaction()
