"""What runs by itself in the name of somebody who leaves: another goes on with it, or it pauses."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Subscription
from . import following
from .telling import say


def theirs(session: Session, person: str) -> list[Subscription]:
    """Return what runs in a person's name; nobody else changes it until this transaction ends."""
    mine = select(Subscription.id).where(Subscription.person == person)
    numbers = session.scalars(mine.where(Subscription.state != "ended").order_by(Subscription.id))
    held = [following.held(session, number) for number in numbers.all()]
    return [row for row in held if row and row.person == person and row.state != "ended"]


def pass_on(session: Session, row: Subscription, to: str | None, by: str) -> None:
    """Let it go on in the name of `to`; None: pause it, since its person may run nothing more."""
    if to is not None:
        detail = {"person": row.person, "to": to}
        row.person = to
        say(session, row, "hand over subscription", by, detail)
        if row.cause == "right":
            following.go_on(session, row, by)
    elif (stopped := following.hindrance(session, row)) is not None:
        following.pause(session, row, stopped, by)
