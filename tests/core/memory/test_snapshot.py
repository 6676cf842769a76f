"""A snapshot says everything again, and a journal that lacks the beginning gets one."""

from __future__ import annotations

import everything
import pytest
import world
from sqlalchemy import select

from cid_server_ext.core import journal
from cid_server_ext.core.memory import snapshot
from cid_server_ext.core.memory.snapshot import Complete
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, schema_of


def entries(sessions: Sessions) -> list[dict]:
    with sessions() as session:
        found = session.scalars(select(t.Journal).order_by(t.Journal.id))
        names = ("id", "person", "action", "subject", "detail", "rows")
        return [{name: getattr(entry, name) for name in names} for entry in found]


def test_a_snapshot_has_every_row_as_new_in_chunks(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "CHUNK", 3)
    everything.fill(sessions)
    before = len(entries(sessions))
    with sessions.begin() as session:
        total = snapshot.take(session)
    said = entries(sessions)[before:]
    assert [e["action"] for e in (said[0], said[-1])] == [snapshot.BEGINS, snapshot.ENDS]
    assert max(len(entry["rows"]) for entry in said) == 3
    assert sum(len(entry["rows"]) for entry in said) == total
    assert total == len(everything.export(sessions).splitlines())
    assert all(item["before"] is None for entry in said for item in entry["rows"])


def test_only_a_complete_snapshot_counts(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    for _ in range(2):
        with sessions.begin() as session:
            snapshot.take(session)
    said = entries(sessions)
    begins = [entry["id"] for entry in said if entry["action"] == snapshot.BEGINS]

    def newest(kept: list[dict]) -> int | None:
        complete = Complete()
        for entry in kept:
            complete.see(entry)
        return complete.begins

    assert newest(said) == begins[1]
    assert newest(said[:-1]) == begins[0]
    parts = [entry["id"] for entry in said if entry["action"] == snapshot.PART]
    assert newest([entry for entry in said if entry["id"] != parts[-1]]) == begins[0]
    assert newest(said[:3]) is None


def test_a_migration_of_data_needs_a_snapshot_and_one_is_enough(sessions: Sessions) -> None:
    schema = schema_of(sessions)
    with sessions.begin() as session:
        assert not snapshot.needed(session, schema)
        world.make_project(session, "screen")
    with sessions.begin() as session:
        assert not snapshot.needed(session, schema)
        journal.record(session, "cid", "migrate", f"database:{schema}")
    with sessions.begin() as session:
        assert snapshot.needed(session, schema)
        snapshot.take(session)
    with sessions.begin() as session:
        assert not snapshot.needed(session, schema)
