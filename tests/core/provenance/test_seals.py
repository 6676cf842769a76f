"""The record of a run: claimed while it commits, sealed and signed when it has ended."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import commits, deposits
from cid_server_ext.core.provenance import canonical, seals
from cid_server_ext.core.runs import runs, states
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import NotFound
from cid_server_ext.storage.seals import Keys, opened

WHO = Actor("viewer")
DIGEST = "ab" * 32


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return opened(tmp_path / "seal-keys")


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    with sessions.begin() as session:
        yield session


@pytest.fixture
def run(session: Session) -> t.Run:
    made = world.make(session, "sealed")
    return session.scalars(select(t.Run).where(t.Run.uid == made.run)).one()


def delivering(session: Session, run: t.Run) -> t.Deposit:
    """A run that says what it made, and has not been believed yet."""
    worker = Actor(run.person, run_id=run.id)
    declared = [{"path": "table.parquet", "nbytes": 10}, {"path": "executed.ipynb", "nbytes": 10}]
    opened = deposits.open_for_run(session, worker, run, declared)
    outputs = [
        {"kind": "table", "name": "objects", "path": "table.parquet", "sha256": "cd" * 32},
        {"kind": "notebook", "name": "executed", "path": "executed.ipynb"},
    ]
    manifest = {"state": "done", "outputs": outputs, "environment": {"python": "3.11.4"}}
    return deposits.begin(session, worker, opened.uid, manifest)


def deliver(session: Session, run: t.Run) -> None:
    run.started_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=90)
    session.flush()
    deposit = delivering(session, run)
    files = [
        commits.NewFile(t.new_uid(), "objects.parquet", "table", "files/t", 10, DIGEST),
        commits.NewFile(t.new_uid(), "count.ipynb", "notebook", "files/n", 10, DIGEST),
    ]
    commits.commit(session, deposit.id, commits.Commit([], files))
    runs.finish(session, run, "done", manifest=deposit.manifest, deposit=deposit)


def test_outputs_are_claimed_until_the_service_has_read_them(session: Session, run: t.Run) -> None:
    session.execute(t.Record.__table__.update().values(run_id=None))
    delivering(session, run)
    told = seals.told(session, WHO, run.uid)
    assert told.sealed is None
    claimed = {"name": "objects", "kind": "table", "sha256": "cd" * 32, "source": None}
    assert told.record["outputs"] == [claimed | {"state": "claimed"}]


def test_a_run_that_ended_is_sealed_once_with_all_that_it_was(
    session: Session, run: t.Run, keys: Keys
) -> None:
    deliver(session, run)
    sealed = seals.seal(session, run, keys)
    told = seals.told(session, WHO, run.uid)
    record = told.record
    assert record["run"]["state"] == "done"
    assert record["template"]["sha256"] == run.template.digest
    assert record["parameters"]["sigma"] == {"type": "number", "unit": "", "value": 1.0}
    assert [(i["name"], i["sha256"], i["role"]) for i in record["inputs"]] == [
        ("cells", "0" * 64, "image")
    ]
    assert record["inputs"][0]["original"] == {"name": "cells.tif", "sha256": "0" * 64}
    tables = [(o["sha256"], o["state"]) for o in record["outputs"] if o["kind"] == "table"]
    assert tables == [(DIGEST, "verified")]
    assert record["notebook"]["sha256"] == DIGEST
    assert record["environment"]["python"] == "3.11.4"
    assert record["charged"][0]["kind"] == "cpu"
    assert record["timing"]["ended_at"] is not None
    content = canonical.encode(record)
    assert sealed.record == content.decode()
    assert sealed.sha256 == hashlib.sha256(content).hexdigest()
    run.metrics = {"changed": "later"}
    assert seals.seal(session, run, keys).record == sealed.record
    assert seals.told(session, WHO, run.uid).record == record


def test_a_run_that_is_tried_again_is_sealed_again(sessions: Sessions, keys: Keys) -> None:
    with sessions.begin() as session:
        made = world.make(session, "again")
        number = session.scalars(select(t.Run.id).where(t.Run.uid == made.run)).one()
        states.move(session, number, "failed", error={"error": "Broken", "message": "it broke"})
        first = seals.seal(session, session.get_one(t.Run, number), keys)
        assert (first.number, json.loads(first.record)["error"]["error"]) == (1, "Broken")
    with sessions.begin() as session:
        journal.record(session, "test", "try again", "test")
        run = session.get_one(t.Run, number)
        run.state, run.ended_at = "running", None
        session.flush()
        assert seals.told(session, WHO, run.uid).sealed is None
        states.move(session, run.id, "cancelled")
        session.refresh(run)
        again = seals.seal(session, run, keys)
        assert (again.number, json.loads(again.record)["run"]["state"]) == (2, "cancelled")


def test_the_duty_seals_what_ended_without_a_commit(
    sessions: Sessions, keys: Keys, tmp_path: Path
) -> None:
    with sessions.begin() as session:
        made = world.make(session, "left")
        number = session.scalars(select(t.Run.id).where(t.Run.uid == made.run)).one()
        states.move(session, number, "cancelled")
    with sessions.begin() as session:
        assert seals.seal_left(session, keys) == 1
    with sessions.begin() as session:
        assert not seals.any_left(session)
        assert seals.seal_left(session, keys) == 0
        log = seals.told(session, WHO, made.run).record["log"]
        assert log[-1]["action"] == "run cancelled"
        with pytest.raises(NotFound):
            seals.told(session, Actor("stranger"), made.run)


def test_keys_are_private_and_old_public_ones_stay(tmp_path: Path) -> None:
    folder = tmp_path / "seal-keys"
    first = opened(folder)
    assert opened(folder).name == first.name
    assert (folder / "current.pem").stat().st_mode & 0o777 == 0o600
    (folder / "current.pem").unlink()
    second: Any = opened(folder)
    assert [key["kid"] for key in second.public()] == [second.name, first.name]
    assert all("d" not in key for key in second.public())
