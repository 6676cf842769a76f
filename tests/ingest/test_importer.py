"""What nobody will finish is given up; what somebody brings is left alone."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import world

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import deposits
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.storage.roots import Folder

FILES = [{"path": "a.tif", "nbytes": 100}]


@pytest.fixture
def importer(sessions: Sessions, tmp_path: Path) -> Iterator[Importer]:
    made = Importer(sessions, Folder(tmp_path / "root"))
    yield made
    made.close()


def opened(importer: Importer, hours: float, came: float = 2) -> str:
    """Open a deposit that ends so many hours from now, whose file came some hours ago."""
    with importer.sessions.begin() as session:
        if session.query(t.Project).count() == 0:
            world.make_project(session, "screen")
        deposit = deposits.open_import(
            session, Actor("contributor"), "screen", dataset="", kind="import", declared=FILES
        )
        deposit.expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
    staged = importer.root.root / "staging" / deposit.uid / "in"
    staged.mkdir(parents=True)
    (staged / "a.tif").write_bytes(bytes(100))
    at = time.time() - came * 3600
    os.utime(staged / "a.tif", (at, at))
    return deposit.uid


def test_a_sweep_ends_what_is_overdue_and_removes_what_is_nobodys(importer: Importer) -> None:
    fresh, overdue = opened(importer, 1), opened(importer, -1)
    orphan = importer.root.root / "staging" / "5e0e1b1c-0000-4000-8000-000000000000"
    orphan.mkdir()
    importer.sweep()
    assert [p.name for p in (importer.root.root / "staging").iterdir()] == [fresh]
    with importer.sessions.begin() as session:
        states = {d.uid: d.state for d in session.query(t.Deposit)}
        assert states == {fresh: "open", overdue: "aborted"}
        assert session.query(t.Allocation).one().reserved == 100


def test_an_upload_that_still_comes_is_left_its_time(importer: Importer) -> None:
    uid = opened(importer, -1, came=0)
    empty = opened(importer, -1, came=0)
    (importer.root.root / "staging" / empty / "in" / "a.tif").unlink()
    importer.sweep()
    with importer.sessions.begin() as session:
        rows = {deposit.uid: deposit for deposit in session.query(t.Deposit)}
        assert (rows[uid].state, rows[empty].state) == ("open", "aborted")
        assert rows[uid].expires_at > dt.datetime.now(dt.UTC)


def test_an_ended_deposit_cannot_be_committed(importer: Importer) -> None:
    overdue = opened(importer, -1)
    importer.sweep()
    with (
        importer.sessions.begin() as session,
        pytest.raises(deposits.Conflict, match="is aborted"),
    ):
        deposits.begin(session, Actor("contributor"), overdue, {})
