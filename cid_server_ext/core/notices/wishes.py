"""How a person wants notices by mail: not, each, or those of a day together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.orm import Session

from ...db.tables import MailWish, Notice
from ...errors import BadInput, NotAllowed
from .. import journal
from ..actor import Actor

NONE = "none"
ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,189}$)(?:[A-Za-z0-9-]{1,63}\.)*"
    r"[A-Za-z0-9-]{1,63}"
)


@dataclass(frozen=True, slots=True)
class Post:
    """What the facility says of mail: whether it is sent, and to which domains (none: to any)."""

    sent: bool = False
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is sent to a person, and where to."""

    mail: str = NONE
    address: str = ""


def get(session: Session, actor: Actor) -> Wish:
    """Return my wish."""
    row = None if actor.run_id is not None else session.get(MailWish, actor.name)
    return Wish() if row is None else Wish(row.mail, row.address)


def put(session: Session, actor: Actor, wish: Wish, post: Post) -> Wish:
    """Keep my wish. Raises BadInput for an address that the facility does not write to."""
    if actor.run_id is not None or not actor.writes:
        raise NotAllowed("this token may not change what goes out by mail")
    address = wish.address.strip()
    if wish.mail != NONE or address:
        _check(address, post)
    session.merge(MailWish(person=actor.name, mail=wish.mail, address=address))
    if wish.mail == NONE:  # what waits does not go out any more
        waiting = (Notice.person == actor.name) & (Notice.mail == "due")
        session.execute(update(Notice).where(waiting).values(mail="none", mail_at=None))
    journal.record(session, actor.name, "set mail", f"person:{actor.name}", {"mail": wish.mail})
    return Wish(wish.mail, address)


def _check(address: str, post: Post) -> None:
    if not ADDRESS.fullmatch(address):
        raise BadInput("address: one address, as ana@lab.example")
    domain = address.rpartition("@")[2].lower()
    if post.domains and domain not in post.domains:
        known = ", ".join(post.domains)
        raise BadInput(f"address: mail goes to {known} only; ask staff for others")
