"""Two who organise the same things at the same moment: one is served, nothing is torn or lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import shelf
import world
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, records
from cid_server_ext.core.life import purge, trash, undo
from cid_server_ext.core.search import index
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import CidError

CONTRIBUTOR, MANAGER = Actor("contributor"), Actor("manager")
Work = Callable[[Session], object]


@pytest.fixture
def screen(sessions: Sessions) -> Sessions:
    with sessions.begin() as session:
        for name in ("screen", "other", "third"):
            world.make_project(session, name)
        shelf.add_file(session, "screen", "plan.pdf", "a")
        for project in ("screen", "other", "third"):
            datasets.create(session, CONTRIBUTOR, project, "b")
    return sessions


def at_once(sessions: Sessions, *works: Work) -> list[str]:
    """Do all of it at the same moment, each in its own transaction; return how each ended."""
    start = Barrier(len(works))

    def attempt(work: Work) -> str:
        start.wait(60)
        try:
            with sessions.begin() as session:
                work(session)
        except CidError as error:
            return error.name
        return "done"

    with ThreadPoolExecutor(len(works)) as pool:
        return sorted(pool.map(attempt, works))


def file(session: Session) -> str:
    return session.scalars(select(t.File.uid)).one()


def dataset(session: Session, path: str, project: str = "screen") -> str:
    chosen = select(t.Dataset.uid).join(t.Project).where(t.Project.name == project)
    return session.scalars(chosen.where(t.Dataset.path == path)).one()


def check(session: Session) -> None:
    """What each project is charged is what its records hold."""
    held = select(func.coalesce(func.sum(t.Record.nbytes), 0)).where(t.Record.purged_at.is_(None))
    for allocation in session.scalars(select(t.Allocation)):
        theirs = session.scalar(held.where(t.Record.project_id == allocation.project_id))
        assert allocation.used == theirs


def test_one_change_is_undone_once(screen: Sessions) -> None:
    with screen.begin() as session:
        records.change(session, CONTRIBUTOR, t.File, file(session), name="x")
    with screen() as session:
        entry = session.scalars(select(t.Journal.id).where(t.Journal.action == "rename")).one()
    ended = at_once(screen, *[lambda s: undo.undo(s, MANAGER, entry)] * 4)
    assert ended == ["Conflict"] * 3 + ["done"]


def test_two_datasets_do_not_swallow_each_other(screen: Sessions) -> None:
    with screen() as session:
        a, b = dataset(session, "a"), dataset(session, "b")
    ended = at_once(
        screen,
        lambda s: datasets.change(s, CONTRIBUTOR, a, path="b/a"),
        lambda s: datasets.change(s, CONTRIBUTOR, b, path="a/b"),
    )
    assert "done" in ended
    with screen() as session:
        for row in session.scalars(select(t.Dataset)):
            above = row.parent.path if row.parent is not None else ""
            assert row.path.rpartition("/")[0] == above


def test_a_record_that_two_take_away_is_charged_once(screen: Sessions) -> None:
    with screen() as session:
        uid = file(session)
        targets = [dataset(session, "b", project) for project in ("other", "third")]
    ended = at_once(
        screen,
        *[lambda s, to=to: records.move(s, CONTRIBUTOR, [uid], to) for to in targets * 2],
    )
    assert set(ended) <= {"done", "Conflict"}
    with screen() as session:
        check(session)


def test_purged_or_restored_but_not_both(screen: Sessions) -> None:
    with screen.begin() as session:
        uid = trash.throw(session, CONTRIBUTOR, [file(session)], []).uid
    ended = at_once(
        screen,
        lambda s: purge.now(s, MANAGER, uid),
        lambda s: trash.restore(s, CONTRIBUTOR, uid),
        lambda s: purge.now(s, MANAGER, uid),
    )
    assert ended == ["Conflict", "Conflict", "done"]
    with screen() as session:
        check(session)
        row = session.scalars(select(t.File)).one()
        assert (row.trash_id is None) is (row.purged_at is None)


def test_what_moves_into_a_dataset_goes_with_it_or_stays(screen: Sessions) -> None:
    with screen() as session:
        uid, b = file(session), dataset(session, "b")
    at_once(
        screen,
        lambda s: records.move(s, CONTRIBUTOR, [uid], b),
        lambda s: trash.throw(s, CONTRIBUTOR, [], [b]),
    )
    with screen() as session:
        row = session.scalars(select(t.File)).one()
        assert row.trash_id == row.dataset.trash_id


def test_who_refers_to_a_record_waits_for_nobody_who_searches_it_anew(screen: Sessions) -> None:
    with screen() as session:
        row = session.scalars(select(t.File)).one()
        about = {"project_id": row.project_id, "record_id": row.id, "person": "x", "text": "x"}

    def refer() -> None:
        with screen.begin() as session:
            session.add(t.Note(**about))
            journal.record(session, "x", "write note", "record:x")

    thread = threading.Thread(target=refer)
    with screen.begin() as session:
        index.refresh(session, [row.id])
        thread.start()
        if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time
            thread.join(10)
            assert not thread.is_alive()
    thread.join(30)
    with screen() as session:
        assert session.scalars(select(t.Note.record_id)).all() == [row.id]
