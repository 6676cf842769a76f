"""What is committed is on storage within seconds, once, whoever writes and whoever dies."""

from __future__ import annotations

import itertools
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import everything
import pytest
import world
from processes import STAFF, Service, start_service, stop, wait_until
from sqlalchemy import select

from cid_server_ext.core import journal
from cid_server_ext.core.memory import snapshot
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database, schema_of
from cid_server_ext.memory.writer import OtherHistory, Writer
from cid_server_ext.storage.journal import Damage, Line, folder_of, read, segments

SOON = 5.0  # seconds from a commit to its line


def lines(storage: Path) -> list[dict]:
    found = list(read(folder_of(storage)))
    assert not [each for each in found if isinstance(each, Damage) and each.kind != "torn"]
    return [each.entry for each in found if isinstance(each, Line)]


def entries(sessions: Sessions) -> list[tuple[int, str]]:
    with sessions() as session:
        chosen = select(t.Journal.id, t.Journal.action).order_by(t.Journal.id)
        return [(row.id, row.action) for row in session.execute(chosen)]


def say(sessions: Sessions, action: str) -> None:
    with sessions.begin() as session:
        journal.record(session, "test", action, "test")


def on_storage(storage: Path) -> list[tuple[int, str]]:
    return [(line["id"], line["action"]) for line in lines(storage)]


def test_every_entry_is_written_once_and_in_order(filled: Sessions, tmp_path: Path) -> None:
    for n in range(3):
        say(filled, f"more {n}")
        everything.written(filled, tmp_path)
    assert on_storage(tmp_path) == entries(filled)
    assert {line["schema"] for line in lines(tmp_path)} == {schema_of(filled)}


def test_two_writers_take_turns(filled: Sessions, tmp_path: Path) -> None:
    first, second = Writer(filled, tmp_path), Writer(filled, tmp_path)
    first.step()
    say(filled, "meanwhile")
    second.step()
    assert len(lines(tmp_path)) == len(entries(filled)) - 1  # the second waits for the pen
    first.lay_down()
    second.step()
    second.lay_down()
    assert on_storage(tmp_path) == entries(filled)


def test_a_torn_line_is_written_again(filled: Sessions, tmp_path: Path) -> None:
    everything.written(filled, tmp_path)
    [segment] = segments(folder_of(tmp_path))
    segment.write_bytes(segment.read_bytes()[:-30])
    everything.written(filled, tmp_path)
    assert on_storage(tmp_path) == entries(filled)


def test_storage_that_is_not_writable_is_waited_for(
    filled: Sessions, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "journal").write_text("a file in its way")
    writer = Writer(filled, tmp_path, every=0.05)
    with caplog.at_level(logging.ERROR, "cid.journal"):
        writer.start()
        wait_until(lambda: caplog.records, what="the trouble is told")
    (tmp_path / "journal").unlink()
    wait_until(lambda: (tmp_path / "journal" / "head.json").exists(), what="it is written")
    writer.close()
    assert on_storage(tmp_path) == entries(filled)
    assert len({record.getMessage() for record in caplog.records}) == len(caplog.records)


def test_an_older_database_does_not_write_over_a_newer_journal(
    filled: Sessions, tmp_path: Path, empty_database: bytes
) -> None:
    everything.written(filled, tmp_path)
    before = on_storage(tmp_path)
    (tmp_path / "older.sqlite").write_bytes(empty_database)
    older = open_database(f"sqlite:///{tmp_path}/older.sqlite")
    say(older, "another history")
    with pytest.raises(OtherHistory, match="does not have: nothing is written"):
        Writer(older, tmp_path).step()
    for _ in before:
        say(older, "another history")
    with pytest.raises(OtherHistory):
        Writer(older, tmp_path).step()
    older.kw["bind"].dispose()
    assert on_storage(tmp_path) == before


def test_a_journal_moved_aside_is_written_anew(filled: Sessions, tmp_path: Path) -> None:
    everything.written(filled, tmp_path)
    (tmp_path / "journal").rename(tmp_path / "journal-old")
    everything.written(filled, tmp_path)
    assert on_storage(tmp_path) == entries(filled)


def test_data_that_came_without_entries_is_told_by_a_snapshot(
    sessions: Sessions, tmp_path: Path
) -> None:
    schema = schema_of(sessions)
    with sessions.begin() as session:
        world.make_project(session, "screen")
        journal.record(session, "cid", "migrate", f"database:{schema}")
    everything.written(sessions, tmp_path)
    assert snapshot.ENDS in {line["action"] for line in lines(tmp_path)}
    everything.written(sessions, tmp_path)
    assert [line["action"] for line in lines(tmp_path)].count(snapshot.ENDS) == 1


@pytest.fixture
def database(tmp_path: Path, empty_database: bytes) -> Iterator[Sessions]:
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    made = open_database(f"sqlite:///{tmp_path}/catalog.sqlite")
    with made.begin() as session:
        world.make_project(session, "screen")
    yield made
    made.kw["bind"].dispose()


unique = itertools.count()


def change(service: Service) -> str:
    """Change something through the API and return what its entry says."""
    limit = 10**9 + next(unique)
    body = {"limit": limit}
    answer = service.ask("PUT", "projects/screen/allocation", STAFF, json=body)
    assert answer.status_code == 200, answer.text
    return str(limit)


def test_a_change_is_on_storage_within_five_seconds(tmp_path: Path, database: Sessions) -> None:
    service = start_service(tmp_path)
    took = []
    for _ in range(3):
        said, start = change(service), time.monotonic()
        wait_until(lambda said=said: said in str(lines(tmp_path / "storage")), what="the line")
        took.append(time.monotonic() - start)
    assert min(took) < SOON  # the machine may have other things to do, but not each time
    stop(service.process)


def test_two_processes_one_is_killed_no_line_is_lost_or_twice(
    tmp_path: Path, database: Sessions
) -> None:
    first, second = start_service(tmp_path), start_service(tmp_path)
    running = [first, second]
    ended = threading.Event()

    def load() -> None:
        while not ended.wait(0.02):  # one person may send 50 a second for long
            change(second)

    thread = threading.Thread(target=load)
    thread.start()
    storage = tmp_path / "storage"
    try:
        wait_until(lambda: len(lines(storage)) > 10, what="some lines")
        os.killpg(first.process.pid, signal.SIGKILL)  # it has the pen: it was started first
        first.process.wait(60)
        then = len(lines(storage))
        wait_until(lambda: len(lines(storage)) > then + 10, what="the other goes on")
    finally:
        ended.set()
        thread.join()
        for service in running:
            stop(service.process)
    wait_until(lambda: on_storage(storage) == entries(database), what="all lines, once")
