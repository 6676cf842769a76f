"""The ledger is kept by whichever process comes first, and made good after a pause."""

from __future__ import annotations

import datetime as dt
import logging
from concurrent.futures import ThreadPoolExecutor

import accounts
import pytest
from processes import wait_until
from sqlalchemy import func, select, update

from cid_server_ext.background.bookkeeper import Bookkeeper
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions


def begun(sessions: Sessions, days_ago: int) -> None:
    """Add a project that began so many days ago."""
    then = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days_ago)
    with sessions.begin() as session:
        accounts.project(session, "screen", str(then))
        accounts.file(session, "screen", 5, str(then))


def charged(sessions: Sessions) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(t.Line)) or 0


def test_it_charges_every_day_that_is_over(sessions: Sessions) -> None:
    begun(sessions, 6)
    books = Bookkeeper(sessions).start()
    try:
        wait_until(lambda: charged(sessions) >= 5, what="days are charged")
    finally:
        books.close()
    assert charged(sessions) in (5, 6)  # yesterday too, an hour after midnight
    assert Bookkeeper(sessions).charge() == 0


def test_two_processes_charge_each_day_once(sessions: Sessions) -> None:
    begun(sessions, 6)
    two = [Bookkeeper(sessions), Bookkeeper(sessions)]
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(Bookkeeper.charge, two))
    assert sum(made) == charged(sessions) in (5, 6)


def test_counters_that_drift_are_logged(
    sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    begun(sessions, 3)
    with sessions.begin() as session:
        session.execute(update(t.Allocation).values(used=t.Allocation.used + 7))
    with caplog.at_level(logging.ERROR):
        Bookkeeper(sessions).charge()
    assert "allocation of screen drifts" in caplog.text
