"""Threads that look again and again: no error ends them, closing them is heard at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import pytest
from processes import wait_until
from sqlalchemy.exc import IntegrityError, OperationalError

from cid_server_ext.background import rounds
from cid_server_ext.background.rounds import Rounds
from cid_server_ext.background.turn import Turn
from cid_server_ext.core import duties
from cid_server_ext.db.session import Sessions

LONG = 3600.0


class Counting(Rounds):
    name = "counting"

    def __init__(
        self, do: Callable[[int], None] = lambda at: None, *, every: float = LONG, first: float = 0
    ) -> None:
        super().__init__()
        self.every, self.first, self.do, self.looks = every, first, do, 0

    def look(self) -> None:
        self.looks += 1
        self.do(self.looks)


def test_the_first_look_is_at_the_start_or_later_as_it_says() -> None:
    now, later = Counting().start(), Counting(first=LONG).start()
    try:
        wait_until(lambda: now.looks == 1, 10)
        assert later.looks == 0
        later.soon()
        wait_until(lambda: later.looks == 1, 10)
    finally:
        rounds.close((now, later))
    assert (now.looks, later.looks) == (1, 1)
    assert [one.looking for one in (now, later)] == [False, False]


def test_soon_while_it_looks_makes_it_look_once_more() -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def wait(at: int) -> None:
        at_work.set()
        assert go_on.wait(10)

    one = Counting(wait).start()
    try:
        assert at_work.wait(10)
        one.soon()
        one.soon()
        go_on.set()
        wait_until(lambda: one.looks == 2, 10)
    finally:
        one.close()
    assert one.looks == 2


def test_an_error_ends_nothing_and_the_same_one_is_told_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = OperationalError("SELECT 1", {}, Exception("the database is away"))
    same = IntegrityError("INSERT", {}, Exception("there is one"))
    errors = [away, away, same, ValueError("a defect"), away]

    def fail(at: int) -> None:
        if at <= len(errors):
            raise errors[at - 1]

    caplog.set_level(logging.INFO, rounds.__name__)
    one = Counting(fail, every=0.001).start()
    try:
        wait_until(lambda: one.looks > len(errors) + 1, 10)
    finally:
        one.close()
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [
        ("WARNING", "counting: OperationalError; the next look tries again"),
        ("INFO", "counting: another process did the same at the same moment"),
        ("ERROR", "counting"),
        ("WARNING", "counting: OperationalError; the next look tries again"),
    ]
    assert "a defect" in (caplog.records[2].exc_text or "")
    monkeypatch.setattr(rounds, "AGAIN", 0.0)
    caplog.clear()
    again = Counting(lambda at: fail(1), every=0.001).start()
    try:
        wait_until(lambda: len(caplog.records) > 2, 10)
    finally:
        again.close()


def test_whoever_is_closed_at_once_looks_no_more() -> None:
    for _ in range(200):
        one = Counting().start()
        began = time.monotonic()
        one.close()
        assert not one.looking, "it did not hear that it was closed"
        assert time.monotonic() - began < one.patience
        assert one.looks <= 1


def test_what_was_never_started_is_closed_too() -> None:
    Counting().close()


def test_a_turn_is_one_process_at_a_time_and_asked_for_now_and_then(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("cid_server_ext.background.turn.time.monotonic", lambda: clock[0])
    one, two = (Turn(sessions, "a duty", 600.0, renewed=5.0) for _ in range(2))
    assert (one.mine(), two.mine()) == (True, False)
    with sessions.begin() as session:
        duties.drop(session, "a duty", one._holder)
    assert one.mine(), "it asks again after five seconds only"
    assert two.mine()
    clock[0] += 5
    assert (one.mine(), two.mine()) == (False, True)
    one.drop()  # it has none to let go
    assert (one.mine(), two.mine()) == (False, True)
    two.drop()
    assert (one.mine(), two.mine()) == (True, False)
