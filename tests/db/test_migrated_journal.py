"""A migrated catalog can be made again from storage: a snapshot begins its journal."""

from __future__ import annotations

from pathlib import Path

import everything
from alembic import command
from old_catalogs import FILL
from sqlalchemy import func, select

from cid_server_ext.core.memory import snapshot
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import _config, connect, migrate, open_database
from cid_server_ext.memory.migration import to_newest
from cid_server_ext.memory.rebuild import rebuild


def old(url: str) -> None:
    command.upgrade(_config(url), "0001")
    engine = connect(url)
    with engine.begin() as connection:
        FILL["0001"](connection)
    engine.dispose()


def is_rebuilt(url: str, folder: Path) -> None:
    sessions, again = open_database(url), f"sqlite:///{folder}/again.sqlite"
    report = rebuild(everything.written(sessions, folder / "storage"), again)
    assert report.whole, report
    rebuilt = open_database(again)
    assert everything.export(rebuilt) == everything.export(sessions)
    with sessions() as session:
        asked = select(func.count()).where(t.Journal.action == snapshot.ENDS)
        assert session.scalar(asked) == 1
    for made in (sessions, rebuilt):
        made.kw["bind"].dispose()


def test_migrating_by_the_command_writes_the_snapshot(empty_url: str, tmp_path: Path) -> None:
    old(empty_url)
    for _ in range(2):  # a second time does nothing
        to_newest(empty_url)
    is_rebuilt(empty_url, tmp_path)


def test_after_any_other_migration_the_writer_does(empty_url: str, tmp_path: Path) -> None:
    old(empty_url)
    migrate(empty_url)
    is_rebuilt(empty_url, tmp_path)


def test_an_empty_catalog_needs_none(empty_url: str) -> None:
    to_newest(empty_url)
    sessions = open_database(empty_url)
    with sessions() as session:
        assert session.scalar(select(t.Journal.id)) is None
    sessions.kw["bind"].dispose()
