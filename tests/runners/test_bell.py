"""A conductor is woken when something is queued, and knows whose process lives no more."""

from __future__ import annotations

import os
import threading

import pytest
from processes import wait_until

from cid_server_ext.core.queue import wake
from cid_server_ext.runners import names
from cid_server_ext.runners.bell import SQLITE_SECONDS, Bell


@pytest.fixture
def bell(sessions):
    made = Bell(sessions, 600)
    yield made
    made.close()


def test_what_is_committed_wakes_who_waits(sessions, bell):
    if sessions.kw["bind"].dialect.name == "sqlite":
        assert bell._every == SQLITE_SECONDS  # nothing tells: it looks by itself
        bell.wait()
        return
    heard = threading.Event()

    def hear():
        bell.wait()
        heard.set()

    waits = threading.Thread(target=hear)
    waits.start()

    def called() -> bool:  # until the other side listens
        with sessions.begin() as session:
            wake.call(session)
            wake.call(session)
        return heard.is_set()

    wait_until(called, what="it hears")
    waits.join(60)
    assert not waits.is_alive()


def test_whoever_rings_is_heard_at_once(bell):
    bell.ring()
    bell.wait()
    assert not bell._rung.is_set()


def test_a_conductor_of_this_machine_whose_process_has_ended_is_dead():
    me = names.own()
    here, _, _ = me.rpartition("-")[0].rpartition("-")
    assert len(me) <= 120
    assert not names.dead(me, me)
    assert names.dead(f"{here}-{os.getpid()}-00000000", me)  # an earlier life with this number
    assert names.dead(f"{here}-4194999-00000000", me)  # above the highest process number
    assert not names.dead(f"{here}-{os.getppid()}-00000000", me)
    assert not names.dead("elsewhere-12345678-4026531836-4194999-00000000", me)
    assert not names.dead("me", me)
