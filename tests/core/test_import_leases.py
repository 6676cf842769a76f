"""One process imports a deposit; who lost it to another can change nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import world
from sqlalchemy import update

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import deposits, imports
from cid_server_ext.db import clock
from cid_server_ext.db.session import Sessions
from cid_server_ext.db.tables import Deposit
from cid_server_ext.errors import Conflict

WHO = Actor("contributor")


def importing(sessions: Sessions) -> str:
    """Return the uid of a deposit that waits for its import."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
        declared = [{"path": "a.tif", "nbytes": 10}]
        new = deposits.open_import(
            session, WHO, "screen", dataset="", kind="files", declared=declared
        )
        deposits.begin(session, WHO, new.uid, {})
        return new.uid


def claim(sessions: Sessions, process: str, uid: str) -> int | None:
    with sessions.begin() as session:
        deposit = imports.claim(session, process, uid)
        return deposit and deposit.id


def end_lease(sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(update(Deposit).values(lease_until=clock.after(session, -1)))


def test_of_twenty_processes_one_imports(sessions: Sessions) -> None:
    uid = importing(sessions)
    for _ in range(3):
        together = threading.Barrier(20)

        def ask(n: int, together: threading.Barrier = together) -> bool:
            together.wait()
            return claim(sessions, f"p{n}", uid) is not None

        with ThreadPoolExecutor(20) as pool:
            assert sum(pool.map(ask, range(20))) == 1
        end_lease(sessions)


def test_a_deposit_waits_until_somebody_works_on_it(sessions: Sessions) -> None:
    uid = importing(sessions)

    def waiting() -> list[str]:
        with sessions() as session:
            return imports.waiting(session)

    assert waiting() == [uid]
    assert claim(sessions, "a", uid)
    assert waiting() == []
    end_lease(sessions)
    assert waiting() == [uid]


def test_who_lost_its_lease_can_do_nothing_more(sessions: Sessions) -> None:
    uid = importing(sessions)
    number = claim(sessions, "a", uid)
    end_lease(sessions)
    assert claim(sessions, "b", uid) == number
    with sessions.begin() as session:
        assert imports.renew(session, "a", [uid]) == set()
        assert imports.renew(session, "b", [uid]) == {uid}
        assert imports.owned(session, "a", number) is None
        imports.hold(session, "b", number, progress={"fraction": 0.5})
    with sessions.begin() as session, pytest.raises(Conflict, match="another process has taken it"):
        imports.hold(session, "a", number)
    with sessions() as session:
        assert session.get_one(Deposit, number).progress == {"fraction": 0.5}


def test_what_its_person_gives_up_cannot_be_held(sessions: Sessions) -> None:
    uid = importing(sessions)
    number = claim(sessions, "a", uid)
    with sessions.begin() as session:
        deposits.abort(session, WHO, uid)
    with sessions.begin() as session, pytest.raises(Conflict, match="was given up"):
        imports.hold(session, "a", number)
    assert claim(sessions, "b", uid) is None


def test_a_process_that_stops_makes_nobody_wait(sessions: Sessions) -> None:
    uid = importing(sessions)
    assert claim(sessions, "a", uid)
    assert claim(sessions, "b", uid) is None
    with sessions.begin() as session:
        imports.leave(session, "a")
    assert claim(sessions, "b", uid)


def test_what_a_dead_process_left_of_an_ended_deposit_is_known(sessions: Sessions) -> None:
    uid = importing(sessions)
    number = claim(sessions, "a", uid)
    with sessions.begin() as session:
        deposits.abort(session, WHO, uid)
        assert imports.left_behind(session) == []  # it may still work
        assert not imports.over(session, uid)
    end_lease(sessions)
    with sessions.begin() as session:
        assert [deposit.uid for deposit in imports.left_behind(session)] == [uid]
        imports.forget(session, number)
    with sessions() as session:
        assert imports.left_behind(session) == []
        assert imports.over(session, uid)
