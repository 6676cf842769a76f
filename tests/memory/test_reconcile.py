"""Each night what the catalog counts is compared with what lies on storage, project by project."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

import pytest
import shelf
import world
from sqlalchemy import select, update

from cid_server_ext.background.bookkeeper import Bookkeeper
from cid_server_ext.core import journal
from cid_server_ext.core.life import purge, trash
from cid_server_ext.core.memory.export import canonical
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.memory.reconcile import reconcile
from cid_server_ext.storage import manifests, reconciled
from cid_server_ext.storage.roots import Folder


@pytest.fixture
def root(sessions: Sessions, tmp_path: Path) -> Folder:
    """A storage where every byte lies that is counted: of two projects with an image and a file."""
    made = Folder(tmp_path / "storage")
    with sessions.begin() as session:
        for project in ("first", "second"):
            world.make_project(session, project)
            shelf.add_images(session, project, ["cell"])
            shelf.add_file(session, project, "notes.txt")
        for record in session.scalars(select(t.Record)):
            lay(made, record.prefix, record.nbytes, is_image=record.type == "image")
    return made


def lay(root: Folder, prefix: str, nbytes: int, *, is_image: bool = False) -> Path:
    """Put so many bytes below a prefix; beside those of an image its manifest."""
    path = root.path(f"{prefix}/deep/bytes")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * nbytes)
    if is_image:
        (root.path(prefix) / manifests.NAME).write_text("a manifest")
    return path


def image(sessions: Sessions, project: str) -> t.Image:
    with sessions() as session:
        asked = select(t.Image).join(t.Project, t.Image.project_id == t.Project.id)
        return session.scalars(asked.where(t.Project.name == project)).one()


def test_nothing_differs_where_all_is_as_it_was_stored(sessions: Sessions, root: Folder) -> None:
    found = reconcile(sessions, root)
    assert (found.records, found.strangers) == (6, 0)
    assert (found.drift, found.differing) == ({}, {})


def test_a_project_is_told_its_difference_and_nothing_is_repaired(
    sessions: Sessions, root: Folder
) -> None:
    hurt, grown = image(sessions, "first"), image(sessions, "second")
    lay(root, hurt.prefix, 499)
    lay(root, f"{grown.prefix}/more", 20)
    lay(root, "images/zz/zz-nobodys", 7)
    with sessions() as session:
        before = b"".join(canonical(session))
        uids = dict(session.execute(select(t.Project.name, t.Project.uid)).all())
    found = reconcile(sessions, root)
    assert found.drift == {uids["first"]: -1, uids["second"]: 20}
    assert found.differing == {uids["first"]: [hurt.prefix], uids["second"]: [grown.prefix]}
    assert (found.names[uids["first"]], found.drift_of("another")) == ("first", 0)
    assert found.strangers == 7
    with sessions() as session:
        assert b"".join(canonical(session)) == before
    assert root.nbytes("images/zz/zz-nobodys") == 7

    reconciled.keep(root.root, found)
    assert reconciled.kept(root.root) == found
    (root.root / reconciled.KEY).write_text("{")
    assert reconciled.kept(root.root) is None


def test_what_is_purged_archived_or_on_its_way_is_no_difference(
    sessions: Sessions, root: Folder
) -> None:
    away = image(sessions, "first")
    with sessions.begin() as session:
        row = session.get_one(t.Image, away.id)
        row.tier = "archive"
        journal.record(session, "test", "set up", "test")
    root.remove(away.prefix)
    with sessions.begin() as session:
        gone = image(sessions, "second")
        thrown = trash.throw(session, world.STAFF, [gone.uid], [])
    assert reconcile(sessions, root).drift == {}  # what lies in the trash is held
    with sessions.begin() as session:
        purge.now(session, world.STAFF, thrown.uid)
    assert root.nbytes(gone.prefix) > 0
    found = reconcile(sessions, root)  # its bytes are about to be removed
    assert (found.drift, found.strangers) == ({}, 0)


def test_one_process_compares_once_a_night_and_says_what_differs(
    sessions: Sessions, root: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    lay(root, image(sessions, "first").prefix, 1)
    books = [Bookkeeper(sessions, root), Bookkeeper(sessions, root), Bookkeeper(sessions)]
    with caplog.at_level(logging.ERROR):
        assert [one.compare() for one in books] == [True, False, False]
    assert "storage of project first drifts by -499 bytes" in caplog.text

    last = reconciled.kept(root.root)
    before = last.began - dt.timedelta(days=1)
    reconciled.keep(root.root, reconciled.Reconciled(before, before, 0, 0))
    assert books[1].compare() is False  # the duty is the first one's for a while
    with sessions.begin() as session:
        session.execute(update(t.Duty).values(until=before))
    assert books[1].compare() is True
    assert reconciled.kept(root.root).drift == last.drift


def test_a_comparison_that_is_told_to_stop_keeps_nothing(sessions: Sessions, root: Folder) -> None:
    assert reconcile(sessions, root, lambda: False) is None
    stopping = Bookkeeper(sessions, root)
    stopping.start().close()
    stopping.stopping.set()
    (root.root / reconciled.KEY).unlink(missing_ok=True)
    assert stopping.compare() is False
    assert reconciled.kept(root.root) is None
