"""The service is killed twenty times while people work: sums equal counters, nothing is lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import acknowledged
import load
import pytest
from forks import Phoenix
from processes import wait_until
from sqlalchemy import select, update

from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.storage.roots import Folder

MOMENTS = 20


@pytest.fixture
def service(catalog_url: str, tmp_path: Path) -> Iterator[Phoenix]:
    unlimited = {"CID_RATE": "1000000", "CID_BURST": "1000000"}
    made = Phoenix(tmp_path, CID_DATABASE=catalog_url, **unlimited)
    yield made
    made.close()


def something(person: load.Person) -> None:
    choices = (person.bring, person.bring, person.deposit, person.tag, person.rename, person.move)
    person.choose.choice(choices)()


def test_sums_equal_counters_after_kill_9_at_twenty_moments(
    service: Phoenix, sessions: Sessions, tmp_path: Path
) -> None:
    shared = load.make(sessions, people=6)
    log, enough, moments = load.Log(), threading.Event(), random.Random(11)
    people = [load.Person(n, [service.url], shared, log) for n in range(6)]
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(load.work, people, something, enough.is_set)
        try:
            for _ in range(MOMENTS):
                threading.Event().wait(moments.uniform(0.2, 1.2))
                service.die()
                acknowledged.sums(sessions)
                service.rise()
        finally:
            enough.set()
        working.result()
    assert {status for _, status, _ in log.failures()} <= {0, 503}

    brought = {uid: name for person in people for uid, name in person.known.brought.items()}

    def imported() -> bool:
        with sessions() as session:
            chosen = select(t.Deposit.state).where(t.Deposit.state == "importing")
            return session.scalars(chosen).all() == []

    wait_until(imported, 90, "all imports have ended")
    with sessions() as session:
        states = select(t.Deposit.uid, t.Deposit.state).where(t.Deposit.uid.in_(brought))
        assert dict(session.execute(states).all()) == dict.fromkeys(brought, "done")
        files = session.scalars(select(t.File).where(t.File.kind == "file")).all()
        names = [file.name for file in files]
        assert set(brought.values()) <= set(names)
        assert len(set(names)) == len(names) > 10
    root = Folder(tmp_path / "storage")
    assert {p.name for p in root.path("files").glob("*/*/*.pdf")} == set(names)
    assert {root.digest(f"{file.prefix}/{file.name}") for file in files} == {
        file.sha256 for file in files
    }
    acknowledged.check(sessions, people)
    _staging_is_reclaimed(sessions, root)


def _staging_is_reclaimed(sessions: Sessions, root: Folder) -> None:
    """Let the overdue duty of the dead be taken: what belongs to no open deposit goes."""
    with sessions.begin() as session:
        past = clock.after(session, -1)
        session.execute(update(t.Duty).where(t.Duty.name == "sweep").values(until=past))
    importer = Importer(sessions, root)
    importer.sweep()
    importer.close()
    with sessions() as session:
        under_way = set(session.scalars(select(t.Deposit.uid).where(t.Deposit.state == "open")))
    assert {p.name for p in root.path("staging").iterdir()} <= under_way
