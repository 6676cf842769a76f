"""The canonical export: equal catalogs, equal bytes."""

from __future__ import annotations

import json

import everything
from sqlalchemy import text

from cid_server_ext.db import capture
from cid_server_ext.db.session import Sessions
from cid_server_ext.db.tables import Base

# every column that a rebuild does not bring back, by name: adding one here is a decision
PASSING = {
    ("allocation", "used"),  # summed up from records again
    ("allocation", "reserved"),  # what unfinished runs wait for
    ("reference", "checked_at"),  # each night's
    ("run", "progress"),
    ("run", "cancel_asked"),
    ("run", "token_hash"),
    ("run", "lease_by"),
    ("run", "lease_until"),
    ("run", "cluster"),
}

# every table that is not in the journal, and why
NOT_JOURNALED = {
    "journal": "it is the journal; put back entry by entry",
    "duty": "who does what now",
    "deposit": "ends with what is under way",
    "grave": "made again from purged records whose bytes are there",
    "posting": "derived",
    "tally": "derived",
    "document": "derived",
    "mention": "derived from the journal",
    "notice": "of the moment",
    "conducting": "who works now",
    "team_use": "what each team had lately; it fades within hours",
    "spent": "on its way to team_use",
}


def test_every_table_is_journaled_or_has_a_reason() -> None:
    tables = {table.name for table in Base.metadata.sorted_tables}
    assert tables - {table.name for table in capture.journaled()} == set(NOT_JOURNALED)


def test_every_column_that_is_not_remembered_is_known_by_name() -> None:
    passing = {
        (table.name, column.name)
        for table in capture.journaled()
        for column in table.columns
        if column.name not in capture.columns(table)
    }
    assert passing == PASSING


def test_everything_in_these_tests_has_a_row_of_every_table(sessions: Sessions) -> None:
    everything.fill(sessions)
    lines = [json.loads(line) for line in everything.export(sessions).splitlines()]
    assert {line["table"] for line in lines} == {table.name for table in capture.journaled()}


def test_lines_are_sorted_and_exact(sessions: Sessions) -> None:
    everything.fill(sessions)
    raw = everything.export(sessions)
    lines = [json.loads(line) for line in raw.splitlines()]
    assert [line["table"] for line in lines] == sorted(line["table"] for line in lines)
    people = [line["row"]["person"] for line in lines if line["table"] == "project_member"]
    assert people[:2] == sorted(people[:2])
    tags = [line["row"] for line in lines if line["table"] == "tag"]
    assert [tag["number"] for tag in tags if tag["number"] is not None] == [0.1]
    [image] = [line["row"] for line in lines if line["row"].get("name") == "renamed"]
    assert image["acquired_at"] == "2026-11-21T12:30:15.123456+00:00"
    assert b'"number":0.1' in raw
    assert "used" in next(line["row"] for line in lines if line["table"] == "allocation")


def test_people_are_sorted_by_their_bytes_on_every_database(sessions: Sessions) -> None:
    names = ["b", "B", "a", "é", "Z", "_"]
    with sessions() as session:
        made = everything.world.make_project(session, "screen")
        session.commit()
        for name in names:
            said = "INSERT INTO project_member (project_id, person, role) VALUES (:p, :n, 'viewer')"
            session.execute(text(said), {"p": made.id, "n": name})
        session.commit()
    lines = [json.loads(line) for line in everything.export(sessions).splitlines()]
    people = [line["row"]["person"] for line in lines if line["table"] == "project_member"]
    assert [name for name in people if name in names] == sorted(names, key=str.encode)
