"""A statement that takes too long is ended by the database, and nothing else is."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from cid_server_ext.db.session import Sessions, in_time, limited, overdue, reading

# counts further than anybody waits, on both databases
ENDLESS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)"
    " SELECT count(*) FROM n"
)
QUICK = text("SELECT 1")


def endless(session: Session) -> None:
    session.execute(ENDLESS)


def test_reading_ends_when_its_time_is_up(sessions: Sessions) -> None:
    with pytest.raises(OperationalError) as ended, reading(sessions, 0.2) as session:
        endless(session)
    assert overdue(ended.value)
    with reading(sessions) as session:  # on the same connection, without a limit
        assert session.scalar(QUICK) == 1
        assert in_time(session)


def test_another_error_is_not_taken_for_it(sessions: Sessions) -> None:
    with pytest.raises(Exception, match="nothing") as ended, reading(sessions, 10) as session:
        session.execute(text("SELECT * FROM nothing"))
    assert not overdue(ended.value)


def test_a_step_of_a_change_is_limited_and_the_rest_is_not(sessions: Sessions) -> None:
    with sessions.begin() as session:
        with limited(session, 0.2):
            assert session.scalar(QUICK) == 1
            while in_time(session):
                pass
        assert session.scalar(QUICK) == 1
    with sessions() as session, pytest.raises(OperationalError) as ended, limited(session, 0.2):
        endless(session)
    assert overdue(ended.value)
