"""A process stops answering in the middle of an import: another finishes it, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import world
from processes import wait_until
from sqlalchemy import select, update

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import deposits
from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import Conflict
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.storage.roots import Folder

WHO = Actor("contributor")


@pytest.fixture
def two(sessions: Sessions, tmp_path: Path) -> Iterator[tuple[Importer, Importer]]:
    """Two processes' importers on one database and one storage."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
    root = Folder(tmp_path / "root")
    made = Importer(sessions, root), Importer(sessions, root)
    yield made
    for importer in made:
        importer.close()


def staged(importer: Importer) -> str:
    """Return the uid of a deposit of one file that waits for its import."""
    with importer.sessions.begin() as session:
        declared = [{"path": "a.pdf", "nbytes": 5}]
        new = deposits.open_import(
            session, WHO, "screen", dataset="", kind="files", declared=declared
        )
        deposits.begin(session, WHO, new.uid, {})
    folder = importer.root.path(f"staging/{new.uid}/in")
    folder.mkdir(parents=True)
    (folder / "a.pdf").write_bytes(b"12345")
    return new.uid


def silent(importer: Importer) -> None:
    """Let every lease end, as if the process had not renewed it."""
    with importer.sessions.begin() as session:
        session.execute(update(t.Deposit).values(lease_until=clock.after(session, -1)))


def state(importer: Importer, uid: str) -> str:
    with importer.sessions() as session:
        return session.scalars(select(t.Deposit.state).where(t.Deposit.uid == uid)).one()


def stored(importer: Importer, below: str) -> list[str]:
    folder = importer.root.path(below)
    return sorted(p.name for p in folder.rglob("*") if p.is_file()) if folder.exists() else []


def counters(importer: Importer) -> tuple[int, int]:
    with importer.sessions() as session:
        allocation = session.query(t.Allocation).one()
        return allocation.used, allocation.reserved


@pytest.mark.parametrize("published", [False, True], ids=["prepared", "published"])
def test_another_finishes_what_was_prepared(
    two: tuple[Importer, Importer], published: bool
) -> None:
    first, second = two
    uid = staged(first)
    job = first._claim(uid)
    prepared = first._prepare(job)
    if published:
        first._publish(prepared)
    silent(first)
    second.submit(uid)
    wait_until(lambda: state(second, uid) == "done", what="the second imports it")
    # the first wakes up and goes on where it was
    first._publish(prepared)
    with pytest.raises(Conflict, match="another process has taken it") as refused:
        first._commit(job, prepared)
    first._give_up(job, prepared, {"error": refused.value.name, "message": "lost"})
    assert state(first, uid) == "done"
    assert stored(first, "files") == ["a.pdf"]
    assert counters(first) == (5, 0)
    with first.sessions() as session:
        assert session.query(t.File).count() == 1


def test_a_dead_process_leaves_no_bytes_of_what_was_given_up(
    two: tuple[Importer, Importer],
) -> None:
    first, second = two
    uid = staged(first)
    first._publish(first._prepare(first._claim(uid)))
    assert stored(second, "files") == ["a.pdf"]
    with second.sessions.begin() as session:
        deposits.abort(session, WHO, uid)
    second.sweep()
    assert stored(second, "files") == ["a.pdf"]  # the first may still be at work
    silent(second)
    second.sweep()
    assert stored(second, "files") == stored(second, "staging") == []
    assert counters(second) == (0, 0)


def test_what_waits_is_found_without_being_told(two: tuple[Importer, Importer]) -> None:
    first, second = two
    uid = staged(first)
    second.resume()
    wait_until(lambda: state(first, uid) == "done", what="the second finds it")
    wait_until(lambda: stored(first, "staging") == [], what="staging is empty")


def test_only_one_of_two_sweeps(two: tuple[Importer, Importer]) -> None:
    first, second = two
    first.sweep()
    orphan = first.root.path("staging/5e0e1b1c-0000-4000-8000-000000000000")
    orphan.mkdir(parents=True)
    second.sweep()
    assert orphan.exists()
    first.sweep()
    assert not orphan.exists()
