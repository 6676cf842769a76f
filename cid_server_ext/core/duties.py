"""Work that one process at a time does for all: it takes the duty, renews it while it works.

Taken by conditional UPDATE, judged by the database's clock. A process that dies loses its duty
when its time has passed; nobody has to notice.
"""

from __future__ import annotations

import os
import secrets
import socket
from typing import Any

from sqlalchemy import CursorResult, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..db import clock
from ..db.tables import Duty


def myself() -> str:
    """Return a name for this process that no other has had; keep it as long as it lives."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}:{secrets.token_hex(4)}"


def take(session: Session, name: str, holder: str, seconds: float) -> bool:
    """Have the duty for `seconds` from now, or return False: another has it.

    Whoever has it already takes it again to keep it. What is done under it must be right even if
    it is done twice: a holder that stops for longer than `seconds` does not know it.
    """
    now = clock.now(session)
    until = clock.after(session, seconds)
    free = or_(Duty.holder == holder, Duty.until <= now)
    taken: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Duty).where(Duty.name == name, free).values(holder=holder, until=until)
    )
    if taken.rowcount:
        return True
    if session.scalar(select(Duty.name).where(Duty.name == name)) is not None:
        return False
    try:
        with session.begin_nested():
            session.execute(insert(Duty).values(name=name, holder=holder, until=until))
    except IntegrityError:  # another was the first ever at this very moment
        return False
    return True


def open_to(session: Session, name: str, holder: str) -> bool:
    """Say whether the duty is free now, or the holder's; `take` decides."""
    theirs = (Duty.name == name, Duty.holder != holder, Duty.until > clock.now(session))
    return session.scalar(select(Duty.name).where(*theirs)) is None


def drop(session: Session, name: str, holder: str) -> None:
    """Let the duty go, if it is still the holder's, so that the next need not wait."""
    session.execute(delete(Duty).where(Duty.name == name, Duty.holder == holder))
