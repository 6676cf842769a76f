"""Purged, a record points to nothing and its bytes go, whenever the process that does it dies."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import shelf
import world
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cid_server_ext.core import policy
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, links, notes, records
from cid_server_ext.core.life import purge, trash, undo
from cid_server_ext.core.runs import submit
from cid_server_ext.core.templates import templates
from cid_server_ext.db import capture, clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import Conflict, NotAllowed
from cid_server_ext.storage.roots import Folder

CONTRIBUTOR, MANAGER = Actor("contributor"), Actor("manager")
SCRIPT = Path(__file__).parents[2] / "purge_and_die.py"
MOMENTS = (
    "before the rows are committed",
    "before the first byte",
    "in the middle of a prefix",
    "before the grave is forgotten",
)


@pytest.fixture
def root(tmp_path: Path) -> Folder:
    folder = tmp_path / "storage"
    folder.mkdir()
    return Folder(folder)


@pytest.fixture
def screen(sessions: Sessions, root: Folder) -> Sessions:
    """Project screen: dataset a with images one and two of one file, and plan.pdf; with bytes."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
        images = shelf.add_images(session, "screen", ["one", "two"], "a")
        rows = [*images, images[0].original, shelf.add_file(session, "screen", "plan.pdf", "a")]
        for row in rows:
            shelf.write_bytes(root.root, row.prefix)
    return sessions


def record(session: Session, name: str) -> t.Record:
    return session.scalars(select(t.Record).where(t.Record.name == name)).one()


def folder(session: Session, path: str = "a") -> t.Dataset:
    return session.scalars(select(t.Dataset).where(t.Dataset.path == path)).one()


def throw(sessions: Sessions, *names: str) -> str:
    with sessions.begin() as session:
        uids = [record(session, name).uid for name in names]
        return trash.throw(session, CONTRIBUTOR, uids, []).uid


def used(session: Session) -> int:
    return session.scalars(select(t.Allocation.used)).one()


def on_disk(root: Folder) -> set[str]:
    kinds = [path for path in root.root.iterdir() if path.name in ("images", "files")]
    return {path.name for kind in kinds for path in kind.glob("*/*")}


def age(sessions: Sessions) -> None:
    """Let the grace time of all that lies in the trash be over."""
    with sessions.begin() as session:
        capture.touch(session, t.Trash, session.scalars(select(t.Trash.id)).all())
        past = session.scalars(select(t.Project.created_at)).first()
        old = update(t.Trash).values(purge_at=past)
        session.execute(old, execution_options={"captured": True})
        undo.journal.record(session, "a", "age", "project:screen")


def check(session: Session, root: Folder) -> None:
    """Every row points to its bytes, every byte belongs to a row or a grave, sums are counters."""
    live = session.scalars(select(t.Record).where(t.Record.purged_at.is_(None))).all()
    assert used(session) == sum(row.nbytes for row in live)
    graves = {prefix.rpartition("/")[2] for prefix in session.scalars(select(t.Grave.prefix))}
    assert {row.uid for row in live} <= on_disk(root) <= {row.uid for row in live} | graves
    gone = session.scalars(select(t.Record).where(t.Record.purged_at.is_not(None))).all()
    for row in gone:
        assert (row.prefix, row.tags, row.links) == ("", [], [])
        assert session.get(t.Document, row.id) is None
    ids = [row.id for row in gone]
    for column in (t.Posting.record_id, t.Note.record_id):
        assert session.scalars(select(column).where(column.in_(ids))).all() == []


def test_before_its_time_nothing_is_purged(screen: Sessions, root: Folder) -> None:
    throw(screen, "one", "two", "plan.pdf")
    purge.sweep(screen, root.remove, "me")
    with screen() as session:
        assert len(on_disk(root)) == 4
        assert used(session) == 2300
        check(session, root)


def test_after_its_time_it_is_purged_and_its_room_given_back(
    screen: Sessions, root: Folder
) -> None:
    with screen.begin() as session:
        one = record(session, "one").uid
        notes.write(session, CONTRIBUTOR, f"record:{one}", "the good one")
        datasets.create(session, CONTRIBUTOR, "screen", "shown")
        links.put(session, CONTRIBUTOR, folder(session, "shown").uid, one)
    throw(screen, "one", "plan.pdf")
    age(screen)
    purge.sweep(screen, root.remove, "me")
    with screen() as session:
        check(session, root)
        assert used(session) == 1500
        assert len(on_disk(root)) == 2
        assert session.scalars(select(t.Grave)).all() == []
        gone = record(session, "one")
        assert (gone.sha256, gone.nbytes, gone.trash.state) == ("0" * 64, 500, "purged")
        assert (
            session.scalar(policy.visible(MANAGER, t.Record).where(t.Record.id == gone.id)) is None
        )
        entry = session.scalars(select(t.Journal).where(t.Journal.action == "purge")).one()
        assert (entry.person, entry.project_id) == ("cid", gone.project_id)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_step_the_next_sweep_finishes(
    screen: Sessions, root: Folder, moment: str
) -> None:
    throw(screen, "one", "two", "plan.pdf")
    age(screen)
    url = screen.kw["bind"].url.render_as_string(hide_password=False)
    told = [sys.executable, str(SCRIPT), url, str(root.root), moment]
    ended = subprocess.run(told, capture_output=True, timeout=300, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]
    with screen() as session:
        check(session, root)
        purged = record(session, "one").purged_at is not None
        assert purged is (moment != "before the rows are committed")
    with screen.begin() as session:  # the duty of the dead has run out
        session.execute(update(t.Duty).values(until=record(session, "one").created_at))
    purge.sweep(screen, root.remove, "me")
    with screen() as session:
        check(session, root)
        assert (on_disk(root), used(session)) == (set(), 0)
        assert session.scalars(select(t.Grave)).all() == []
        assert record(session, "one").purged_at is not None


def test_while_one_process_has_the_duty_another_does_nothing(
    screen: Sessions, root: Folder
) -> None:
    throw(screen, "plan.pdf")
    age(screen)
    with screen.begin() as session:
        assert purge.duties.take(session, purge.DUTY, "other", 60)
    purge.sweep(screen, root.remove, "me")
    with screen() as session:
        assert record(session, "plan.pdf").purged_at is None
    with screen.begin() as session:
        purge.duties.drop(session, purge.DUTY, "other")
    purge.sweep(screen, root.remove, "me")
    with screen() as session:
        assert record(session, "plan.pdf").purged_at is not None


def test_managers_purge_at_once_and_it_is_final(screen: Sessions, root: Folder) -> None:
    uid = throw(screen, "plan.pdf")
    with screen.begin() as session, pytest.raises(NotAllowed, match="manager"):
        purge.now(session, CONTRIBUTOR, uid)
    with screen.begin() as session:
        purge.now(session, MANAGER, uid)
    with screen.begin() as session:
        assert len(on_disk(root)) == 4  # the rows first, the bytes after
        check(session, root)
        with pytest.raises(Conflict, match="purged already"):
            purge.now(session, MANAGER, uid)
        with pytest.raises(Conflict, match="purged already"):
            trash.restore(session, CONTRIBUTOR, uid)
        entry = session.scalars(select(t.Journal.id).where(t.Journal.action == "trash")).one()
        with pytest.raises(Conflict, match=r"'plan.pdf' is purged: nothing brings it back"):
            undo.undo(session, CONTRIBUTOR, entry)
    purge.bury(screen, root.remove)
    with screen() as session:
        assert len(on_disk(root)) == 3
        check(session, root)


def test_a_file_that_an_image_elsewhere_was_read_from_is_not_purged(
    screen: Sessions, root: Folder
) -> None:
    first, second = throw(screen, "one"), throw(screen, "two")
    with screen.begin() as session:
        purge.now(session, MANAGER, second)  # the file lay in this one
        assert record(session, "one.tif").trash.uid == first
        assert record(session, "one.tif").purged_at is None
    with screen.begin() as session:
        trash.restore(session, CONTRIBUTOR, first)
    purge.bury(screen, root.remove)
    with screen() as session:
        check(session, root)
        assert record(session, "one").original.trash_id is None
        assert len(on_disk(root)) == 3


def test_links_into_a_purged_dataset_go_and_the_record_stays(
    screen: Sessions, root: Folder
) -> None:
    with screen.begin() as session:
        shown = datasets.create(session, CONTRIBUTOR, "screen", "shown").uid
        links.put(session, CONTRIBUTOR, shown, record(session, "one").uid)
        notes.write(session, CONTRIBUTOR, f"dataset:{shown}", "for the paper")
    with screen.begin() as session:
        uid = trash.throw(session, CONTRIBUTOR, [], [shown]).uid
    with screen.begin() as session:
        purge.now(session, MANAGER, uid)
    with screen() as session:
        assert session.scalars(select(t.Link)).all() == []
        assert session.scalars(select(t.Note)).all() == []
        assert record(session, "one").purged_at is None
        check(session, root)


def test_what_a_run_reads_is_not_purged(screen: Sessions, root: Folder) -> None:
    uid = throw(screen, "one")
    with screen.begin() as session:
        template = templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        world.add_run(session, record(session, "one"), template, person="x", token="t")
    with pytest.raises(Conflict, match=r"run .* reads it"), screen.begin() as session:
        purge.now(session, MANAGER, uid)
    age(screen)
    purge.sweep(screen, root.remove, "me")
    with screen() as session:
        assert record(session, "one").purged_at is None
        assert session.scalars(select(t.Trash.state)).one() == "kept"


def test_a_grave_that_is_no_folder_of_a_record_is_left_alone(
    screen: Sessions, root: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    with screen.begin() as session:
        session.add_all(t.Grave(prefix=p) for p in ("images", "files/ab", "journal/1/2", "../x"))
    purge.bury(screen, root.remove)
    with screen() as session:
        assert len(session.scalars(select(t.Grave)).all()) == 4
    assert len(on_disk(root)) == 4
    assert "left as it is" in caplog.text


def test_a_submit_after_the_purge_finds_nothing(screen: Sessions) -> None:
    uid = throw(screen, "one")
    with screen.begin() as session:
        templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        one = record(session, "one").uid
        purge.now(session, MANAGER, uid)
        with pytest.raises(policy.NotFound):
            submit.submit(session, CONTRIBUTOR, "count-things", [one], {})
        with pytest.raises(policy.NotFound):
            records.change(session, CONTRIBUTOR, t.Image, one, name="x")


def test_what_cannot_be_purged_holds_no_other_up(screen: Sessions, root: Folder) -> None:
    throw(screen, "plan.pdf")
    with screen.begin() as session:
        world.make_project(session, "other")
        shelf.add_file(session, "other", "old.log")
    throw(screen, "old.log")
    age(screen)
    with screen.begin() as session:  # its counter has drifted
        mine = t.Allocation.project_id == record(session, "plan.pdf").project_id
        session.execute(update(t.Allocation).where(mine).values(used=0))
    purge.sweep(screen, root.remove, "me")
    with screen() as session:
        assert record(session, "plan.pdf").purged_at is None
        assert record(session, "old.log").purged_at is not None


def test_a_clock_that_jumped_a_month_ahead_purges_nothing(
    screen: Sessions,
    root: Folder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    throw(screen, "plan.pdf")
    clocks = clock.now
    with monkeypatch.context() as jump:
        jump.setattr(clock, "now", lambda session: clocks(session) + dt.timedelta(days=31))
        purge.sweep(screen, root.remove, "me")
    with screen() as session:
        assert record(session, "plan.pdf").purged_at is None
        assert len(on_disk(root)) == 4
    [line] = [entry.getMessage() for entry in caplog.records if entry.name == clock.__name__]
    assert "nothing is purged" in line
    age(screen)
    purge.sweep(screen, root.remove, "me")
    with screen() as session:
        assert record(session, "plan.pdf").purged_at is not None
