"""Limits hold to the byte, whoever writes at once; promises end; soft limits only warn."""

from __future__ import annotations

import datetime as dt
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import world
from sqlalchemy import select

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import commits, deposits
from cid_server_ext.core.ledger import allocations, usage
from cid_server_ext.core.people import members
from cid_server_ext.core.runs import states
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, NotAllowed, NotFound, OverQuota

GB = 10**9
CONTRIBUTOR = Actor("contributor")


def opened(sessions: Sessions, nbytes: int) -> str:
    with sessions.begin() as session:
        declared = [{"path": "a.bin", "nbytes": nbytes}]
        made = deposits.open_import(
            session, CONTRIBUTOR, "screen", dataset="", kind="files", declared=declared
        )
        return made.uid


def committed(sessions: Sessions, uid: str, nbytes: int) -> None:
    """Commit a deposit that turned out to hold so many bytes."""
    with sessions.begin() as session:
        deposit = deposits.begin(session, CONTRIBUTOR, uid, {})
    with sessions.begin() as session:
        deposits.widen(session, deposit.id, nbytes)
        name = t.new_uid()
        new = commits.NewFile(name, "a.bin", "file", f"files/{name}", nbytes, "0" * 64)
        commits.commit(session, deposit.id, commits.Commit([], [new]))


def given_up(sessions: Sessions, uid: str) -> None:
    with sessions.begin() as session:
        deposits.abort(session, CONTRIBUTOR, uid)


def test_twenty_writers_at_once_against_one_gigabyte_are_never_one_byte_over(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen", limit=5 * GB)
    committed(sessions, opened(sessions, 4 * GB), 4 * GB)  # 1 GB is left
    held: list[int] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            with sessions() as session:
                row = session.scalars(select(t.Allocation)).one()
                held.append(row.used + row.reserved)

    def write(seed: int) -> int:
        chance, refused = random.Random(seed), 0
        for _ in range(6):
            nbytes = chance.randrange(1, GB // 5)
            try:
                uid = opened(sessions, nbytes)
                if chance.random() < 0.3:
                    given_up(sessions, uid)
                else:
                    committed(sessions, uid, chance.randrange(1, nbytes * 2))
            except OverQuota:
                refused += 1
        return refused

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with ThreadPoolExecutor(20) as pool:
            refused = sum(pool.map(write, range(20)))
    finally:
        stop.set()
        watcher.join()
    assert max(held) <= 5 * GB
    assert refused > 0
    with sessions() as session:
        assert usage.check(session) == []
        _, told = usage.of_project(session, world.STAFF, "screen")
        stored = session.scalars(select(t.Record.nbytes)).all()
    assert told.held.used == sum(stored) <= 5 * GB
    assert told.held.used > 4 * GB


def test_of_twenty_deposits_for_the_room_of_five_five_are_opened(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen", limit=599)
    together = threading.Barrier(20)

    def ask(_: int) -> str:
        together.wait()
        try:
            return opened(sessions, 100)
        except OverQuota:
            return ""

    with ThreadPoolExecutor(20) as pool:
        uids = [uid for uid in pool.map(ask, range(20)) if uid]
    assert len(uids) == 5
    given_up(sessions, uids[0])
    committed(sessions, uids[1], 100)
    opened(sessions, 199)
    with pytest.raises(OverQuota):
        opened(sessions, 1)


def test_a_deposit_whose_time_has_passed_gives_its_room_back(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen", limit=100)
    uid = opened(sessions, 100)
    with pytest.raises(OverQuota):
        opened(sessions, 1)
    with sessions.begin() as session:
        deposit = session.scalars(select(t.Deposit).where(t.Deposit.uid == uid)).one()
        assert deposit.expires_at > dt.datetime.now(dt.UTC)
        assert deposits.expired(session) == []
        deposit.expires_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
        session.flush()
        for late in deposits.expired(session):
            deposits.end(session, late, "aborted")
    assert opened(sessions, 100)


def test_managers_give_up_what_a_leaver_left_open_and_it_is_told(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen", limit=100)
    left = [opened(sessions, 50), opened(sessions, 50)]
    with sessions.begin() as session:
        members.remove_member(session, world.STAFF, "screen", "contributor")
    for actor in (CONTRIBUTOR, Actor("annotator"), Actor("guest", guest=True), Actor("other")):
        with sessions.begin() as session, pytest.raises(NotFound):
            deposits.abort(session, actor, left[0])
    for actor, uid in zip((Actor("manager"), world.STAFF), left, strict=True):
        with sessions.begin() as session:
            assert deposits.abort(session, actor, uid).state == "aborted"
    with sessions() as session:
        asked = select(t.Journal).where(t.Journal.action == "give up deposit")
        told = session.scalars(asked.order_by(t.Journal.id)).all()
        assert [(entry.person, entry.subject) for entry in told] == [
            ("manager", f"deposit:{left[0]}"),
            ("staff", f"deposit:{left[1]}"),
        ]
        assert told[0].detail == {"of": "contributor", "bytes": 50}
        assert (told[0].project_id, session.scalars(select(t.Allocation.reserved)).one()) == (1, 0)


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_what_a_run_was_promised_ends_with_it(sessions: Sessions, end: str) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen", limit=10_000)
        image = world.add_image(session, "screen", "cells")
        template = world.templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        run = world.add_run(session, image, template, person="contributor", token="x")
        run.reserved = 500
        allocations.reserve(session, image.project_id, 500)
        run_id = run.id
    with sessions() as session:
        assert usage.of_project(session, world.STAFF, "screen")[1].reserved == 500
    with sessions.begin() as session:
        states.move(session, run_id, end)
    with sessions() as session:
        assert usage.of_project(session, world.STAFF, "screen")[1].reserved == 0
        assert usage.check(session) == []


def test_past_the_soft_limit_a_deposit_is_taken_and_warned(sessions: Sessions) -> None:
    with sessions.begin() as session:
        made = world.make_project(session, "screen", limit=1000)
        allocations.set_limits(session, world.STAFF, "screen", 1000, 800)
    opened(sessions, 800)
    with sessions() as session:
        assert allocations.warning(session, made.id) is None
    opened(sessions, 1)
    with sessions() as session:
        assert "has 199 B left of 1.0 kB" in allocations.warning(session, made.id)
        assert usage.of_project(session, world.STAFF, "screen")[1].state == "warning"
    opened(sessions, 199)
    with pytest.raises(OverQuota):
        opened(sessions, 1)
    with sessions() as session:
        assert usage.of_project(session, world.STAFF, "screen")[1].state == "full"


def test_a_smaller_limit_stops_what_comes_and_leaves_what_is_there(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen", limit=1000)
    committed(sessions, opened(sessions, 900), 900)
    with sessions.begin() as session:
        allocations.set_limits(session, world.STAFF, "screen", 500)
    with sessions() as session:
        _, told = usage.of_project(session, world.STAFF, "screen")
        entry = session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()
    assert (told.held.used, told.free, told.state) == (900, 0, "full")
    assert (entry.action, entry.detail) == ("set limit", {"limit": 500, "soft": None})
    with pytest.raises(OverQuota):
        opened(sessions, 1)


@pytest.mark.parametrize(
    ("limit", "soft", "field"),
    [(-1, None, "limit"), (2**60, None, "limit"), (10, 11, "soft"), (10, -1, "soft")],
)
def test_limits_that_make_no_sense_are_refused_by_field(
    sessions: Sessions, limit: int, soft: int | None, field: str
) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        with pytest.raises(BadInput, match=f"^{field}:"):
            allocations.set_limits(session, world.STAFF, "screen", limit, soft)
        journal.record(session, "test", "set up", "test")


def test_only_staff_sets_limits(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        with pytest.raises(NotAllowed):
            allocations.set_limits(session, Actor("leader"), "screen", 10)
