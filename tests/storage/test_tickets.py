"""Tickets open what they say, as long as they say, and nobody else can make one."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest

from cid_server_ext.errors import NotLoggedIn
from cid_server_ext.storage.tickets import Right, Signer, _pack, _unpack

READ = Right("images/ab/abcdefgh", "r")
WRITE = Right("staging/é 1/in", "w", 10**12, "p0123456789abcdef", 1_700_000_000_000)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signer(clock: Clock) -> Signer:
    return Signer((b"k" * 32,), clock)


@pytest.mark.parametrize("right", [READ, WRITE])
def test_a_ticket_gives_back_its_right(signer: Signer, right: Right) -> None:
    ticket = signer.sign(right)
    assert set(ticket) <= set(string.ascii_letters + string.digits + "-_.")
    assert signer.verify(ticket) == right


@pytest.mark.parametrize(
    "prefix", ["files/ab/abcdefgh", "images/ab/abcdefgh", "journal", "staging"]
)
def test_nothing_but_staging_is_opened_for_writing(signer: Signer, prefix: str) -> None:
    with pytest.raises(ValueError, match="never written"):
        Right(prefix, "w", 10)
    packed = signer.sign(Right(prefix, "r"))
    body = _unpack(packed.partition(".")[0]).replace(b'"r"', b'"w"')
    sealed = f"{_pack(body)}.{_pack(signer._seal(signer.keys[0], _pack(body)))}"
    with pytest.raises(NotLoggedIn, match="damaged"):
        signer.verify(sealed)


def test_a_ticket_ends_between_60_and_90_seconds(signer: Signer, clock: Clock) -> None:
    for offset in range(30):
        clock.now = 1_000_000.0 + offset
        ticket = signer.sign(READ)
        clock.now += 59.9
        signer.verify(ticket)
        clock.now += 30.1
        with pytest.raises(NotLoggedIn, match="ended"):
            signer.verify(ticket)


def test_the_address_stays_the_same_for_a_while(signer: Signer, clock: Clock) -> None:
    clock.now = 999_991.0  # just after a step
    first = signer.sign(READ)
    clock.now += 28
    assert signer.sign(READ) == first


def test_no_sign_of_a_ticket_can_be_changed(signer: Signer) -> None:
    ticket = signer.sign(READ)
    for at in range(len(ticket)):
        other = "A" if ticket[at] != "A" else "B"
        with pytest.raises(NotLoggedIn):
            signer.verify(ticket[:at] + other + ticket[at + 1 :])


def test_a_ticket_has_one_spelling(signer: Signer) -> None:
    ticket = signer.sign(READ)
    body, _, seal = ticket.partition(".")
    for again in (ticket + "=", ticket + ".", f"{body}=.{seal}", f" {ticket}", ticket + "\n"):
        with pytest.raises(NotLoggedIn):
            signer.verify(again)


@pytest.mark.parametrize("text", ["", ".", "a.b", "é.é", "a" * 5000, "W10.W10", "\0"])
def test_what_is_no_ticket_is_refused_by_name(signer: Signer, text: str) -> None:
    with pytest.raises(NotLoggedIn):
        signer.verify(text)


def test_another_key_opens_nothing(signer: Signer, clock: Clock) -> None:
    with pytest.raises(NotLoggedIn):
        Signer((b"x" * 32,), clock).verify(signer.sign(READ))


def test_keys_rotate_without_a_cut(signer: Signer) -> None:
    old = signer.sign(READ)
    both = replace(signer, keys=(b"n" * 32, *signer.keys))
    new = both.sign(READ)
    assert both.verify(old) == both.verify(new) == READ
    with pytest.raises(NotLoggedIn):
        signer.verify(new)


def test_a_long_life_and_a_weak_key_are_programming_errors(signer: Signer) -> None:
    with pytest.raises(ValueError, match="60 s"):
        signer.sign(READ, 61)
    with pytest.raises(ValueError, match="16 bytes"):
        Signer((b"short",))


def test_a_ticket_ends_with_the_right_it_was_given_for(signer: Signer, clock: Clock) -> None:
    ticket = signer.sign(READ, until=clock.now + 3.5)
    clock.now += 3.4
    assert signer.verify(ticket) == READ
    clock.now += 0.2
    with pytest.raises(NotLoggedIn, match="ended"):
        signer.verify(ticket)


def test_an_upload_outlives_its_ticket_and_never_the_membership(
    signer: Signer, clock: Clock
) -> None:
    lasting, ending = signer.sign(WRITE), signer.sign(WRITE, until=clock.now + 200)
    assert signer.verify(ending) == WRITE
    clock.now += 199
    for ticket in (lasting, ending):
        assert signer.verify(ticket, late=300) == WRITE
        with pytest.raises(NotLoggedIn, match="has ended"):
            signer.verify(ticket)
    clock.now += 1
    assert signer.verify(lasting, late=300) == WRITE
    with pytest.raises(NotLoggedIn, match="has ended"):
        signer.verify(ending, late=300)
