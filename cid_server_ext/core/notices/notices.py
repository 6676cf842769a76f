"""Notices are written in the transaction that they tell of, and read by their person only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import MailWish, Notice
from ...errors import NotAllowed
from .. import policy
from ..actor import Actor

LONGEST = 500  # characters
MORNING = 6  # o'clock UTC, when what came in a day goes out in one mail


@dataclass(frozen=True, slots=True)
class Page:
    """Some notices, newest first, and how many of all are not read."""

    rows: Sequence[Notice]
    unread: int


def tell(
    session: Session,
    person: str,
    kind: str,
    about: str,
    text: str,
    *,
    project_id: int | None = None,
    once: bool = False,
) -> Notice | None:
    """Write a notice; with `once` only where none of that kind, about that, lies unread.

    One that names a project has its `project_id`: who may not see it any more is not told it.
    """
    same = (Notice.person == person, Notice.kind == kind, Notice.about == about)
    if once and session.scalar(select(Notice.id).where(*same, Notice.read_at.is_(None)).limit(1)):
        return None
    mail, at = _by_mail(session, person)
    said = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    row = Notice(
        person=person,
        project_id=project_id,
        kind=kind,
        about=about,
        text=said,
        mail=mail,
        mail_at=at,
    )
    session.add(row)
    return row


def listing(
    session: Session,
    actor: Actor,
    *,
    unread: bool = False,
    limit: int = 50,
    after: int | None = None,
) -> Page:
    """Return my notices, newest first. A run has none."""
    if actor.run_id is not None:
        return Page([], 0)
    mine = select(Notice).where(told(actor))
    if unread:
        mine = mine.where(Notice.read_at.is_(None))
    if after is not None:
        mine = mine.where(Notice.id < after)
    rows = session.scalars(mine.order_by(Notice.id.desc()).limit(limit)).all()
    return Page(rows, count(session, actor))


def count(session: Session, actor: Actor) -> int:
    """Return how many of my notices I have not read."""
    unread = select(func.count(Notice.id)).where(told(actor), Notice.read_at.is_(None))
    return session.scalar(unread) or 0


def told(actor: Actor) -> ColumnElement[bool]:
    """Return the WHERE clause that keeps my notices, but those of projects that I may not see."""
    mine: ColumnElement[bool] = Notice.person == actor.name
    return mine & (Notice.project_id.is_(None) | Notice.project_id.in_(policy.projects(actor)))


def read(session: Session, actor: Actor, uids: Sequence[str] | None = None) -> int:
    """Mark these of my notices as read, or all; return how many are left. Others are left alone.

    What is read here does not go out by mail any more.
    """
    if actor.run_id is not None or not actor.writes:
        raise NotAllowed("this token may not mark notices as read")
    chosen = update(Notice).where(Notice.person == actor.name, Notice.read_at.is_(None))
    if uids is not None:
        chosen = chosen.where(Notice.uid.in_(uids))
    session.execute(chosen.where(Notice.mail == "due").values(mail="none", mail_at=None))
    session.execute(chosen.values(read_at=clock.now(session)))
    return count(session, actor)


def morning(now: dt.datetime) -> dt.datetime:
    """Return the next moment at which a day's notices go out in one mail."""
    today = now.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return today if now < today else today + dt.timedelta(days=1)


def _by_mail(session: Session, person: str) -> tuple[str, dt.datetime | None]:
    wish = session.get(MailWish, person)
    if wish is None or wish.mail == "none":
        return "none", None
    now = clock.now(session)
    return "due", now if wish.mail == "each" else morning(now)
