"""Which service process imports which deposit, until when by the database's clock.

A lease is taken, renewed and lost by conditional UPDATE. Whoever lost it to another can commit
nothing: `hold` stands in the transaction of every step.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Deposit
from ...errors import Conflict

SECONDS = 15.0
MANY = 100
ENDED_WITHOUT = ("failed", "aborted")


def waiting(session: Session) -> list[str]:
    """Return the uids of deposits whose import nobody works on, oldest first, at most MANY."""
    free = or_(Deposit.lease_by.is_(None), Deposit.lease_until <= clock.now(session))
    found = select(Deposit.uid).where(Deposit.state == "importing", free)
    return list(session.scalars(found.order_by(Deposit.id).limit(MANY)))


def claim(session: Session, process: str, uid: str, seconds: float = SECONDS) -> Deposit | None:
    """Return the deposit if it is importing and nobody had it: now it is the process's."""
    free = or_(Deposit.lease_by.is_(None), Deposit.lease_until <= clock.now(session))
    until = clock.after(session, seconds)
    taken = session.scalar(
        update(Deposit)
        .where(Deposit.uid == uid, Deposit.state == "importing", free)
        .values(lease_by=process, lease_until=until)
        .returning(Deposit.id)
    )
    return None if taken is None else session.get_one(Deposit, taken, populate_existing=True)


def over(session: Session, uid: str) -> bool:
    """Return whether the deposit ended without a result before anybody began to work on it."""
    ended = Deposit.state.in_(ENDED_WITHOUT) & Deposit.lease_by.is_(None)
    return session.scalar(select(Deposit.id).where(Deposit.uid == uid, ended)) is not None


def renew(
    session: Session, process: str, uids: Collection[str], seconds: float = SECONDS
) -> set[str]:
    """Hold on to these deposits and return those that are still the process's and importing."""
    mine = Deposit.uid.in_(uids) & (Deposit.lease_by == process) & (Deposit.state == "importing")
    held = update(Deposit).where(mine).values(lease_until=clock.after(session, seconds))
    return set(session.scalars(held.returning(Deposit.uid)))


def hold(session: Session, process: str, deposit_id: int, **changes: Any) -> None:
    """Change columns of a deposit while nobody else can take it, or raise Conflict: it is lost.

    The row stays locked to the end of the transaction.
    """
    mine = (Deposit.id == deposit_id) & (Deposit.lease_by == process)
    held: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Deposit)
        .where(mine, Deposit.state == "importing")
        .values(lease_by=process, **changes)
    )
    if held.rowcount == 0:
        raise Conflict("this import was given up, or another process has taken it over")


def owned(session: Session, process: str, deposit_id: int) -> Deposit | None:
    """Return the deposit, locked, if its lease is the process's; whatever its state."""
    mine = (Deposit.id == deposit_id) & (Deposit.lease_by == process)
    chosen = select(Deposit).where(mine).with_for_update()
    return session.scalar(chosen.execution_options(populate_existing=True))


def leave(session: Session, process: str) -> None:
    """Let go of all, so that the next process need not wait; what was published stays known."""
    now = clock.now(session)
    session.execute(update(Deposit).where(Deposit.lease_by == process).values(lease_until=now))


def forget(session: Session, deposit_id: int) -> None:
    """Nothing of this deposit is left to be worked on."""
    nobody = {"lease_by": None, "lease_until": None}
    session.execute(update(Deposit).where(Deposit.id == deposit_id).values(**nobody))


def left_behind(session: Session) -> list[Deposit]:
    """Return deposits that ended without a result while the process that worked on them died.

    What it had published for them is still there.
    """
    late = Deposit.lease_until <= clock.now(session)
    ended = Deposit.state.in_(ENDED_WITHOUT) & Deposit.lease_by.is_not(None)
    return list(
        session.scalars(select(Deposit).where(ended, late).order_by(Deposit.id).limit(MANY))
    )
