"""Notices on their way out by mail: what is due, to whom, and what became of it.

Nothing here talks to a mail server: who sends reads, ends the transaction, sends, and then says
how it went. Killed in between, a mail may go out twice, under the same Message-ID.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import MailWish, Notice
from ..actor import Actor
from . import notices

PERSONS, NOTICES = 50, 100  # of one look, of one mail
KEPT = dt.timedelta(days=90)
TRIES = 12  # with growing pauses, that is about two days
FIRST, LONGEST = 60.0, 6 * 3600.0  # seconds between tries


@dataclass(frozen=True, slots=True)
class Line:
    """One notice of a mail."""

    id: int
    uid: str
    kind: str
    about: str
    text: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """What one person gets in one mail; `tries` went wrong before."""

    person: str
    address: str
    lines: tuple[Line, ...]
    tries: int

    @property
    def ids(self) -> list[int]:
        """The notices in it."""
        return [line.id for line in self.lines]


@dataclass(frozen=True, slots=True)
class Backlog:
    """Notices that should be on their way; `tried` in vain before; `refused` within a day."""

    waiting: int
    tried: int
    refused: int


def backlog(session: Session) -> Backlog:
    """Return how much mail waits; that of a day which waits for its morning does not count."""
    now = clock.now(session)
    waits, again = Notice.mail_at <= now, Notice.tries > 0
    asked = select(func.count().filter(waits | again), func.count().filter(again))
    waiting, tried = session.execute(asked.where(Notice.mail == "due")).one()
    lately = (Notice.mail == "refused") & (Notice.created_at >= now - dt.timedelta(days=1))
    refused = session.scalar(select(func.count()).select_from(Notice).where(lately))
    return Backlog(waiting, tried, refused or 0)


def due(session: Session) -> list[Letter]:
    """Return the mails that are due now, those of a person as one.

    Whether somebody is staff only the hub knows: staff has by mail what their roles let them see.
    """
    now = clock.now(session)
    ready = (Notice.mail == "due") & (Notice.mail_at <= now)
    theirs = Notice.person == MailWish.person
    wanted = (
        select(MailWish)
        .where(MailWish.mail != "none", select(Notice.id).where(ready, theirs).exists())
        .order_by(MailWish.person)
        .limit(PERSONS)
    )
    letters = []
    for wish in session.scalars(wanted).all():
        mine = select(Notice).where(ready, notices.told(Actor(wish.person))).order_by(Notice.id)
        rows = session.scalars(mine.limit(NOTICES)).all()
        lines = tuple(Line(r.id, r.uid, r.kind, r.about, r.text, r.created_at) for r in rows)
        if lines:
            letters.append(Letter(wish.person, wish.address, lines, max(r.tries for r in rows)))
    return letters


def sent(session: Session, letter: Letter) -> None:
    """Say that the mail server took it."""
    _end(session, letter.ids, "sent")


def refused(session: Session, letter: Letter) -> None:
    """Say that it will never arrive: it is not tried again."""
    _end(session, letter.ids, "refused")


def later(session: Session, letter: Letter) -> None:
    """Try it again after a pause that grows; in the end give it up."""
    if letter.tries + 1 >= TRIES:
        _end(session, letter.ids, "refused")
        return
    at = clock.now(session) + dt.timedelta(seconds=min(FIRST * 2**letter.tries, LONGEST))
    waiting = (Notice.id.in_(letter.ids)) & (Notice.mail == "due")
    session.execute(update(Notice).where(waiting).values(mail_at=at, tries=letter.tries + 1))


def forget(session: Session) -> None:
    """Remove what is older than KEPT; what was due for a day and may not be told never goes."""
    old = clock.now(session) - dt.timedelta(days=1)
    stale = (Notice.mail == "due") & (Notice.mail_at < old) & (Notice.tries == 0)
    session.execute(update(Notice).where(stale).values(mail="none", mail_at=None))
    session.execute(delete(Notice).where(Notice.created_at < clock.now(session) - KEPT))


def _end(session: Session, ids: Sequence[int], how: str) -> None:
    waiting = (Notice.id.in_(ids)) & (Notice.mail == "due")
    session.execute(update(Notice).where(waiting).values(mail=how, mail_at=None))
