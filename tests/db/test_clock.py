"""What a time decides for good waits while the clocks of database and machine disagree."""

from __future__ import annotations

import datetime as dt

import accounts
import pytest
import world

from cid_server_ext.background.bookkeeper import Bookkeeper
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import deposits
from cid_server_ext.db import clock
from cid_server_ext.db.session import Sessions

MONTH = dt.timedelta(days=31)


@pytest.mark.parametrize(
    ("apart", "trusted"),
    [
        (dt.timedelta(), True),
        (dt.timedelta(minutes=-4), True),
        (dt.timedelta(minutes=6), False),
        (-MONTH, False),
    ],
)
def test_clocks_may_differ_by_a_few_minutes(
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    apart: dt.timedelta,
    trusted: bool,
) -> None:
    told = clock.now
    monkeypatch.setattr(clock, "now", lambda session: told(session) + apart)
    with sessions() as session:
        assert clock.trusted(session) is trusted
    assert ("until their clocks agree" in caplog.text) is not trusted


def test_a_clock_that_jumped_charges_nothing_and_gives_nothing_up(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = dt.datetime.now(dt.UTC).date()
    with sessions.begin() as session:
        accounts.project(session, "charged", str(today - dt.timedelta(days=4)))
        world.make(session, "screen")
        begun = deposits.in_states(session, "open")
        assert len(begun) == 1
        assert begun[0].person == Actor("contributor").name
    told = clock.now
    with monkeypatch.context() as jump:
        jump.setattr(clock, "now", lambda session: told(session) + MONTH)
        assert Bookkeeper(sessions).charge() == 0
        with sessions() as session:
            assert deposits.expired(session) == []
    assert Bookkeeper(sessions).charge() > 0
