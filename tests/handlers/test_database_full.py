"""The database's disk is full: whoever writes is told that, not that it is busy."""

from __future__ import annotations

from pathlib import Path

import postgres
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from cid_server_ext.db.session import connect
from cid_server_ext.errors import Unavailable
from cid_server_ext.handlers.refusals import named

SAID = "the database's disk is full: tell staff; what is there can be read"


def test_sqlite_that_may_grow_no_more(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/small.sqlite")

    def grow() -> None:
        with engine.begin() as connection:
            connection.execute(text("PRAGMA max_page_count = 4"))
            connection.execute(text("CREATE TABLE much (words TEXT)"))
            connection.execute(text("INSERT INTO much VALUES (:words)"), {"words": "x" * 100_000})

    with pytest.raises(Unavailable) as refused:
        named(grow)
    assert str(refused.value) == SAID
    assert isinstance(refused.value.__cause__, OperationalError)
    engine.dispose()


@pytest.mark.postgresql
def test_postgresql_that_finds_no_room(postgresql: postgres.Postgres) -> None:
    engine = connect(postgresql.url("empty"))

    def extend() -> None:
        with engine.begin() as connection:
            raises = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$"
            connection.execute(text(raises))

    with pytest.raises(Unavailable) as refused:
        named(extend)
    assert str(refused.value) == SAID
    engine.dispose()
