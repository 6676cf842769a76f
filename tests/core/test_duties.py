"""Twenty processes want the same duty: at every moment at most one has it."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

from processes import wait_until
from sqlalchemy import update

from cid_server_ext.core import duties
from cid_server_ext.db import clock
from cid_server_ext.db.session import Sessions
from cid_server_ext.db.tables import Duty


def take(sessions: Sessions, holder: str, seconds: float = 60, name: str = "sweep") -> bool:
    with sessions.begin() as session:
        return duties.take(session, name, holder, seconds)


def end(sessions: Sessions, name: str = "sweep") -> None:
    """Let the holder's time be over."""
    with sessions.begin() as session:
        past = clock.after(session, -1)
        session.execute(update(Duty).where(Duty.name == name).values(until=past))


def drop(sessions: Sessions, holder: str) -> None:
    with sessions.begin() as session:
        duties.drop(session, "sweep", holder)


def all_at_once(sessions: Sessions) -> list[str]:
    """Let twenty ask at the same moment; return those who have the duty."""
    together = threading.Barrier(20)

    def ask(holder: str) -> bool:
        together.wait()
        return take(sessions, holder)

    names = [f"p{n}" for n in range(20)]
    with ThreadPoolExecutor(20) as pool:
        return [name for name, has in zip(names, pool.map(ask, names), strict=True) if has]


def test_of_twenty_who_ask_at_once_one_has_it(sessions: Sessions) -> None:
    (first,) = all_at_once(sessions)  # nobody had it before
    assert all_at_once(sessions) == [first]
    end(sessions)
    assert len(all_at_once(sessions)) == 1  # its time was over
    with sessions() as session:
        holder = session.get_one(Duty, "sweep").holder
    drop(sessions, holder)
    assert len(all_at_once(sessions)) == 1  # it was let go


def test_two_never_work_at_the_same_time(sessions: Sessions) -> None:
    working, most, done = 0, 0, 0
    lock = threading.Lock()

    def work(holder: str) -> None:
        nonlocal working, most, done
        wait_until(lambda: take(sessions, holder), 120, "its turn")
        with lock:
            working += 1
            most = max(most, working)
        with sessions() as session:
            session.get_one(Duty, "sweep")
        with lock:
            working -= 1
            done += 1
        drop(sessions, holder)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, [f"p{n}" for n in range(20)]))
    assert (most, done) == (1, 20)


def test_who_has_it_keeps_it_and_others_wait_for_its_end(sessions: Sessions) -> None:
    assert take(sessions, "a")
    assert take(sessions, "a")
    assert not take(sessions, "b")
    drop(sessions, "b")  # not its to drop
    assert not take(sessions, "b")
    end(sessions)
    assert take(sessions, "b")
    assert not take(sessions, "a")


def test_duties_of_other_names_are_free(sessions: Sessions) -> None:
    assert take(sessions, "a")
    assert take(sessions, "b", name="accrue")


def test_time_is_the_databases_with_parts_of_a_second(sessions: Sessions) -> None:
    with sessions.begin() as session:
        first = clock.now(session)
        soon = clock.after(session, 90)
    assert abs(first - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=5)
    assert dt.timedelta(seconds=89) < soon - first < dt.timedelta(seconds=91)


def test_no_two_processes_have_the_same_name() -> None:
    assert duties.myself() != duties.myself()
    assert len(duties.myself()) <= 120
