"""The records that a query finds, all of them at once, for a step that changes many."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Record
from ...errors import NotFound
from ..actor import Actor
from ..search import find
from . import tagging


def uids(session: Session, actor: Actor, asked: find.Asked, most: int) -> list[str]:
    """Return the uids of the records that are found, oldest first; NotFound when there is none.

    Raises BadInput when there are more than `most`.
    """
    found: list[str] = []
    for batch in tagging.batches(sorted(find.every(session, actor, asked, most))):
        named = select(Record.uid).where(Record.id.in_(batch)).order_by(Record.id)
        found += session.scalars(named)
    if not found:
        raise NotFound(f"query: {asked.text[:80]!r} finds no record that you can see")
    return found
