"""A database brought to this release's schema; a snapshot follows where rows were changed."""

from __future__ import annotations

from ..core.memory import snapshot
from ..db.session import migrate, open_database, schema_of


def to_newest(url: str) -> None:
    """Migrate, and let the journal begin anew: what it said before has another schema's columns."""
    migrate(url)
    sessions = open_database(url)
    try:
        with sessions.begin() as session:
            if snapshot.needed(session, schema_of(sessions)):
                snapshot.take(session)
    finally:
        sessions.kw["bind"].dispose()
