"""A deposit that is checked says what it would become, leaves nothing, and is done only once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import bringing
import pytest
import world
from bringing import tif
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from cid_server_ext.core.catalog import checked, deposits
from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.ingest.workers import Worker
from cid_server_ext.storage.roots import Folder

TREE = {"a/cell.tif": tif(71), "cut.tif": tif(72)[:1500], "notes.txt": b"tuesday"}


@pytest.fixture
def importer(sessions: Sessions, tmp_path: Path) -> Iterator[Importer]:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    made = Importer(sessions, Folder(tmp_path / "root"))
    yield made
    made.close()


def to_check(importer: Importer, tree: dict[str, bytes]) -> str:
    """Return a deposit whose check has begun."""
    uid = bringing.opened(importer, tree)
    with importer.sessions.begin() as session:
        mine = update(t.Deposit).where(t.Deposit.uid == uid)
        session.execute(mine.values(manifest={"check": True}))
    return uid


def rows(importer: Importer) -> tuple[int, ...]:
    """Return how many rows there are of what a commit makes."""
    kinds = (t.Record, t.Dataset, t.Term, t.Note, t.Posting)
    with importer.sessions() as session:
        return tuple(session.scalar(select(func.count()).select_from(kind)) for kind in kinds)


def test_a_check_leaves_nothing_and_the_commit_does_nothing_twice(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid, before = to_check(importer, TREE), rows(importer)
    importer._import(uid)
    told = bringing.ended(importer, uid)
    report = told.results["report"]
    assert (told.state, told.lease_by) == ("open", None)
    assert {one["path"]: one["verdict"] for one in report["files"]} == {
        "cut.tif": "unreadable",
        "a/cell.tif": "look",
        "notes.txt": "file",
    }
    assert report["counts"] == {"unreadable": 1, "look": 1, "file": 1}
    assert rows(importer) == before
    held, used, reserved = bringing.counters(importer)
    assert (held, used) == (0, 0)
    assert reserved >= report["nbytes"] > sum(map(len, TREE.values()))
    importer.sweep()  # it waits for its person
    assert bringing.staged(importer) == [uid]

    monkeypatch.setattr(Worker, "convert", lambda *_: pytest.fail("it is converted again"))
    with importer.sessions.begin() as session:
        deposits.begin(session, bringing.WHO, uid, {})
    importer._import(uid)
    done = bringing.ended(importer, uid)
    assert (done.state, done.error) == ("done", None)
    assert bringing.counters(importer) == (report["nbytes"], report["nbytes"], 0)
    assert bringing.originals(importer) == {
        path.rpartition("/")[2]: bringing.sha256(body) for path, body in TREE.items()
    }
    assert bringing.staged(importer) == []


def test_a_check_that_lost_its_database_is_taken_up_again(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = to_check(importer, TREE)

    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the database went away"))

    with monkeypatch.context() as patched:
        patched.setattr(checked, "report", away)
        with pytest.raises(OperationalError):
            importer._import(uid)
    assert bringing.ended(importer, uid).state == "importing"
    with importer.sessions.begin() as session:
        session.execute(update(t.Deposit).values(lease_until=clock.after(session, -1)))
    monkeypatch.setattr(Worker, "convert", lambda *_: pytest.fail("it is converted again"))
    importer._import(uid)
    told = bringing.ended(importer, uid)
    assert told.state == "open"
    assert told.results["report"]["counts"] == {"unreadable": 1, "look": 1, "file": 1}


def test_what_nobody_brings_in_after_its_check_gives_its_room_back(importer: Importer) -> None:
    uid = to_check(importer, TREE)
    importer._import(uid)
    with importer.sessions.begin() as session:
        session.execute(update(t.Deposit).values(expires_at=clock.after(session, -7200)))
    for path in importer.root.path(f"staging/{uid}").rglob("*"):
        os.utime(path, (1, 1))  # no byte came within the last hour
    importer.sweep()
    assert bringing.ended(importer, uid).state == "aborted"
    assert bringing.counters(importer) == (0, 0, 0)
