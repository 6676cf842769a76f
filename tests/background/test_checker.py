"""What is kept is read again night by night, in turn, and damage is told to staff."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from pathlib import Path

import pytest
import shelf
import world
from sqlalchemy import select, update

from cid_server_ext.background import checker
from cid_server_ext.background.checker import Checker, Place, keep, kept
from cid_server_ext.core.life import history
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.storage.roots import Folder

PAST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def root(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def files(sessions: Sessions, root: Folder) -> list[str]:
    """The prefixes of five files of 300 bytes, as they came; a checker that began yesterday."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
        for n in range(5):
            data = bytes([n]) * 300
            file = shelf.add_file(session, "screen", f"{n}.log")
            file.sha256 = hashlib.sha256(data).hexdigest()
            path = root.path(f"{file.prefix}/{file.name}")
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
        keep(root.root, Place("2000-01-01"))
    with sessions() as session:
        return list(session.scalars(select(t.Record.prefix).order_by(t.Record.id)))


def damage(root: Folder, prefix: str) -> None:
    [path] = root.path(prefix).iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def next_night(root: Folder) -> None:
    place = kept(root.root)
    assert place is not None
    keep(root.root, Place("2000-01-01", place.after, place.round_began, place.rounds))


def told(sessions: Sessions) -> list[str]:
    with sessions() as session:
        steps, _ = history.read(session, world.STAFF, history.Asked())
        found = [step.entry for step in steps if step.entry.action == "damage found"]
        return [fault["key"] for entry in found for fault in entry.detail["faults"]]


def test_a_whole_storage_is_read_in_nights_and_then_anew(
    sessions: Sessions, root: Folder, files: list[str]
) -> None:
    check = Checker(sessions, root, a_night=600)
    read = []
    for _ in range(4):
        read.append(check.look())
        assert check.look() == 0  # once a night
        next_night(root)
    assert read == [2, 2, 1, 2]
    place = kept(root.root)
    assert place is not None
    assert place.rounds == 1
    assert told(sessions) == []


def test_damage_is_logged_and_in_the_history_of_its_record(
    sessions: Sessions, root: Folder, files: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    damage(root, files[1])
    root.remove(files[3])
    with caplog.at_level(logging.ERROR):
        assert Checker(sessions, root).look() == 5
    assert told(sessions) == [files[3], f"{files[1]}/1.log"]
    assert "invalid, its bytes changed (sha256)" in caplog.text
    assert "incomplete, the file has no bytes here" in caplog.text
    with sessions() as session:
        uid = files[1].rpartition("/")[2]
        steps, _ = history.read(session, world.STAFF, history.Asked(about=f"file:{uid}"))
        assert steps[0].entry.action == "damage found"


def test_what_is_purged_or_away_is_not_looked_for(
    sessions: Sessions, root: Folder, files: list[str]
) -> None:
    with sessions.begin() as session:
        for prefix, values in ((files[0], {"tier": "archive"}), (files[1], {"purged_at": PAST})):
            root.remove(prefix)
            gone = update(t.Record).where(t.Record.prefix == prefix).values(**values)
            session.connection().execute(gone)
    assert Checker(sessions, root).look() == 3
    assert told(sessions) == []


def test_one_process_checks_for_all_and_a_stop_is_made_good(
    sessions: Sessions, root: Folder, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Checker(sessions, root), Checker(sessions, root)
    faults = first._faults

    def stop_after_two(row: object) -> list[checker.Fault]:
        if row.uid == files[1].rpartition("/")[2]:
            assert second.look() == 0  # it is the other's duty
            first.close()
        return faults(row)

    monkeypatch.setattr(first, "_faults", stop_after_two)
    assert first.look() == 2
    with sessions.begin() as session:
        session.connection().execute(update(t.Duty).values(until=PAST))
    assert second.look() == 3


def test_a_new_catalog_waits_for_its_first_night(sessions: Sessions, root: Folder) -> None:
    check = Checker(sessions, root)
    assert check.look() == check.look() == 0
    assert kept(root.root) is not None
    root.path(checker.KEY).write_text("{")
    assert kept(root.root) is None
