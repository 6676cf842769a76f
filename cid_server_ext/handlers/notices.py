"""Notices: what I am told of without having asked, marked as read, and by mail."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core.notices import notices, wishes
from .base import Ask, CidHandler, endpoint
from .paging import After, number, token


class Asked(BaseModel):
    """Which; `after` is an earlier page's `next`."""

    model_config = ConfigDict(extra="forbid")
    unread: bool = False
    limit: int = Field(50, ge=1, le=200)
    after: After = None


class Which(BaseModel):
    """Those that were read; without `notices` all of them."""

    model_config = ConfigDict(extra="forbid")
    notices: list[Annotated[str, Field(max_length=36)]] | None = Field(None, max_length=200)


class Wish(BaseModel):
    """What goes out by mail, and where to."""

    model_config = ConfigDict(extra="forbid")
    mail: Literal["none", "each", "daily"]
    address: str = Field("", max_length=254)


class Notice(BaseModel):
    """What happened (`kind`) to what (`about`, as "batch:<uid>")."""

    uid: str
    kind: str
    about: str
    text: str
    created_at: dt.datetime
    read_at: dt.datetime | None


class Mail(BaseModel):
    """My wish; `sent`: whether this facility sends mail at all, `domains`: where to, if not all."""

    mail: str
    address: str
    sent: bool
    domains: list[str]


class Notices(BaseModel):
    """My notices, newest first, and how many of all are unread."""

    notices: list[Notice]
    unread: int
    mail: Mail
    next: str | None


class Unread(BaseModel):
    """How many are left."""

    unread: int


class AllNotices(CidHandler):
    """notices."""

    @endpoint("What I am told", who="anyone", query=Asked, answer=Notices)
    def get(self, ask: Ask) -> Notices:
        """My own only."""
        q = ask.query
        page = notices.listing(
            ask.session, ask.actor, unread=q.unread, limit=q.limit, after=number(q.after)
        )
        rows = page.rows
        return Notices(
            notices=[
                Notice(
                    uid=row.uid,
                    kind=row.kind,
                    about=row.about,
                    text=row.text,
                    created_at=row.created_at,
                    read_at=row.read_at,
                )
                for row in rows
            ],
            unread=page.unread,
            mail=_mail(ask, wishes.get(ask.session, ask.actor)),
            next=token(rows[-1].id if len(rows) == q.limit else None),
        )


class ReadNotices(CidHandler):
    """notices/read."""

    @endpoint("Mark notices as read", who="writer", body=Which, answer=Unread)
    def post(self, ask: Ask) -> Unread:
        """These, or all of mine; they do not go out by mail any more."""
        return Unread(unread=notices.read(ask.session, ask.actor, ask.body.notices))


class MailNotices(CidHandler):
    """notices/mail."""

    @endpoint("Have notices by mail", who="writer", body=Wish, answer=Mail)
    def put(self, ask: Ask) -> Mail:
        """None, each, or those of a day together."""
        wish = wishes.Wish(ask.body.mail, ask.body.address)
        return _mail(ask, wishes.put(ask.session, ask.actor, wish, ask.services.settings.mail.post))


def _mail(ask: Ask, wish: wishes.Wish) -> Mail:
    post = ask.services.settings.mail.post
    return Mail(mail=wish.mail, address=wish.address, sent=post.sent, domains=list(post.domains))
