"""Notices by mail, to a real SMTP server on loopback."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from ports import free_port
from sqlalchemy import select, update

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.notices import notices, outbox, wishes
from cid_server_ext.core.notices.wishes import Post, Wish
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput
from cid_server_ext.mail.mailer import Mailer
from cid_server_ext.mail.server import MailServer

ANA = Actor("ana")


class Sink:
    """Takes letters, or refuses them with `answer`."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.answer = "250 OK"

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, to: str, ___: Any) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.answer

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


@pytest.fixture
def sink() -> Iterator[tuple[Sink, MailServer]]:
    made = Sink()
    port = free_port()
    controller = Controller(made, hostname="127.0.0.1", port=port)
    controller.start()
    url = f"smtp://127.0.0.1:{port}?from=cid@lab.example&link=https://hub.lab.example"
    yield made, MailServer.read(url)
    controller.stop()


def wish(sessions: Sessions, mail: str, actor: Actor = ANA) -> None:
    with sessions.begin() as session:
        wishes.put(session, actor, Wish(mail, f"{actor.name}@lab.example"), Post(True))


def tell(sessions: Sessions, *texts: str, person: str = "ana") -> None:
    with sessions.begin() as session:
        for text in texts:
            notices.tell(session, person, "batch", "batch:b1", text)


def mail(sessions: Sessions) -> list[tuple[str, int]]:
    with sessions() as session:
        return [(n.mail, n.tries) for n in session.scalars(select(t.Notice).order_by(t.Notice.id))]


def test_each_notice_goes_out_once_to_whom_wants_it(
    sessions: Sessions, sink: tuple[Sink, MailServer]
) -> None:
    taken, server = sink
    wish(sessions, "each")
    tell(sessions, "48 of 50 runs\r\nBcc: all@lab.example")
    tell(sessions, "nobody asked for this by mail", person="ben")
    two = [Mailer(sessions, server), Mailer(sessions, server)]
    assert [one.look() for one in (*two, *two)] == [1, 0, 0, 0]
    (letter,) = taken.letters
    assert (letter["To"], letter["From"]) == ("ana@lab.example", "cid@lab.example")
    assert letter["Subject"] == "CID: 48 of 50 runs Bcc: all@lab.example"
    assert letter["Bcc"] is None
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "https://hub.lab.example" in letter.get_content()
    assert mail(sessions) == [("sent", 0), ("none", 0)]


def test_those_of_a_day_go_out_together_in_the_morning_and_what_was_read_does_not(
    sessions: Sessions, sink: tuple[Sink, MailServer]
) -> None:
    taken, server = sink
    wish(sessions, "daily")
    tell(sessions, "one", "two", "three")
    mailer = Mailer(sessions, server)
    assert mailer.look() == 0  # it is not morning yet
    with sessions.begin() as session:
        page = notices.listing(session, ANA)
        assert (page.unread, [row.text for row in page.rows]) == (3, ["three", "two", "one"])
        assert notices.read(session, ANA, [page.rows[0].uid]) == 2
        session.execute(update(t.Notice).values(mail_at=dt.datetime(2026, 1, 1, 6, tzinfo=dt.UTC)))
    assert mailer.look() == 1
    (letter,) = taken.letters
    assert letter["Subject"] == "CID: 2 notices"
    assert [word in letter.get_content() for word in ("one", "two", "three")] == [True, True, False]


def test_a_server_that_is_away_is_tried_again_later_and_a_refused_address_is_not(
    sessions: Sessions, sink: tuple[Sink, MailServer]
) -> None:
    taken, server = sink
    wish(sessions, "each")
    tell(sessions, "one")
    away = MailServer.read("smtp://127.0.0.1:1?from=cid@lab.example")
    assert Mailer(sessions, away).look() == 0
    assert mail(sessions) == [("due", 1)]
    assert Mailer(sessions, server).look() == 0  # its pause has not passed
    with sessions.begin() as session:
        session.execute(update(t.Notice).values(mail_at=t.Notice.created_at))
    taken.answer = "451 later"
    assert Mailer(sessions, server).look() == 0
    assert mail(sessions) == [("due", 2)]
    with sessions.begin() as session:
        session.execute(update(t.Notice).values(mail_at=t.Notice.created_at))
    taken.answer = "550 nobody of that name"
    assert Mailer(sessions, server).look() == 0
    assert mail(sessions) == [("refused", 2)]
    assert taken.letters == []


def test_tries_end(sessions: Sessions) -> None:
    wish(sessions, "each")
    tell(sessions, "one")
    with sessions.begin() as session:
        session.execute(update(t.Notice).values(tries=outbox.TRIES - 1))
        (letter,) = outbox.due(session)
        outbox.later(session, letter)
    assert mail(sessions) == [("refused", outbox.TRIES - 1)]


def test_whoever_wants_none_gets_none_of_what_waits(sessions: Sessions) -> None:
    wish(sessions, "each")
    tell(sessions, "one")
    wish(sessions, "none")
    assert mail(sessions) == [("none", 0)]
    with sessions() as session:
        assert outbox.due(session) == []


@pytest.mark.parametrize("address", ["", "ana", "ana@lab.example\nBcc: x@y.z", "a b@lab.example"])
def test_an_address_is_one_address(sessions: Sessions, address: str) -> None:
    with sessions.begin() as session, pytest.raises(BadInput, match="one address"):
        wishes.put(session, ANA, Wish("each", address), Post(True))


def test_a_facility_may_write_to_its_own_domains_only(sessions: Sessions) -> None:
    with sessions.begin() as session, pytest.raises(BadInput, match=r"to lab\.example only"):
        wishes.put(session, ANA, Wish("each", "ana@else.example"), Post(True, ("lab.example",)))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("mail.lab.example", "begin with"),
        ("smtp://mail.lab.example", "from="),
        ("smtp://cid@mail.lab.example?from=a@b.c", "password_file"),
        ("smtps://cid:hush@mail.lab.example?from=a@b.c", "in a file"),
        ("smtp://cid@mail.lab.example?from=a@b.c&password_file=/x", "starttls"),
        ("smtp://mail.lab.example?from=a@b.c&form=x", "there is no 'form'"),
    ],
)
def test_an_address_of_a_server_that_is_wrong_says_what_is(text: str, wrong: str) -> None:
    with pytest.raises(BadInput, match=wrong) as caught:
        MailServer.read(text)
    assert "hush" not in str(caught.value)


def test_no_server_sends_nothing() -> None:
    assert not MailServer.read(" ").post.sent
