"""The catalog is deleted and made again from storage alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import everything
import pytest
import world
from sqlalchemy import func, select

from cid_server_ext.core import journal
from cid_server_ext.core.memory import snapshot
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database
from cid_server_ext.errors import BadInput, Conflict, NotFound
from cid_server_ext.memory.rebuild import rebuild
from cid_server_ext.storage.journal import Pen, folder_of, segments


@contextmanager
def opened(url: str) -> Iterator[Sessions]:
    made = open_database(url)
    yield made
    made.kw["bind"].dispose()


def damage(storage: Path, old: bytes, new: bytes) -> int:
    """Change the first line with `old` in it, and return its number."""
    [segment] = segments(folder_of(storage))
    lines = segment.read_bytes().splitlines(keepends=True)
    [number, *_] = [n for n, line in enumerate(lines) if old in line]
    lines[number] = lines[number].replace(old, new)
    segment.write_bytes(b"".join(lines))
    return number + 1


def test_a_rebuilt_catalog_is_the_same_on_every_database(
    filled: Sessions, storage: Path, fresh_url: Callable[[], str]
) -> None:
    before, found = everything.export(filled), everything.derived(filled)
    url = fresh_url()
    report = rebuild(storage, url)
    assert report.whole, report
    with opened(url) as again:
        assert everything.export(again) == before
        assert everything.derived(again) == found


def test_history_is_there_and_goes_on(
    filled: Sessions, storage: Path, fresh_url: Callable[[], str]
) -> None:
    url = fresh_url()
    rebuild(storage, url)
    with opened(url) as again, filled() as session, again() as other:
        chosen = select(t.Journal.__table__).order_by(t.Journal.id)
        assert session.execute(chosen).all() == other.execute(chosen).all()
        last = other.scalar(select(func.max(t.Journal.id)))
    with opened(url) as again:
        with again.begin() as session:
            journal.record(session, "staff", "go on", "test")
            tag = session.scalar(select(func.max(t.Tag.id)))
        with again.begin() as session:
            image = world.add_image(session, "screen", "one more")
            assert min(each.id for each in image.tags) > tag
        assert everything.written(again, storage)  # the same chain goes on
        with again() as session:
            assert session.scalar(select(t.Journal.id).where(t.Journal.action == "go on")) > last
        again_url = fresh_url()
        assert rebuild(storage, again_url).whole
        with opened(again_url) as third:
            assert everything.export(third) == everything.export(again)


def test_numbers_that_were_given_are_not_given_again(
    sessions: Sessions, tmp_path: Path, fresh_url: Callable[[], str]
) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen")
        note = t.Note(project_id=project.id, person="a", text="gone")
        session.add(note)
        session.flush()
        gone = note.id
    with sessions.begin() as session:
        session.delete(session.get_one(t.Note, gone))
        journal.record(session, "a", "remove note", "test")
    url = fresh_url()
    rebuild(everything.written(sessions, tmp_path / "storage"), url)
    with opened(url) as again, again.begin() as session:
        note = t.Note(project_id=1, person="a", text="new")
        session.add(note)
        session.flush()
        assert note.id > gone
        session.rollback()


def test_a_rebuild_begins_at_the_newest_complete_snapshot(
    filled: Sessions, tmp_path: Path, fresh_url: Callable[[], str]
) -> None:
    with filled.begin() as session:
        snapshot.take(session)
    storage = everything.written(filled, tmp_path / "storage")
    line = damage(storage, b'"action":"create project"', b'"action":"create pr0ject"')
    url = fresh_url()
    report = rebuild(storage, url)
    assert [found.number for found in report.damages] == [line]
    assert (report.lost, report.mended) == ([], [])
    with opened(url) as again:
        assert everything.export(again) == everything.export(filled)


def test_a_damaged_line_is_passed_and_listed_with_what_it_cost(
    filled: Sessions, storage: Path, fresh_url: Callable[[], str]
) -> None:
    line = damage(storage, b'"action":"change"', b'"action":"chance"')
    url = fresh_url()
    report = rebuild(storage, url)
    [found] = report.damages
    assert (found.segment, found.number, found.kind) == ("000000000001.jsonl", line, "damaged")
    assert (found.first, found.last) == (line, line)
    with opened(url) as again:
        ours = set(everything.export(filled).splitlines())
        theirs = set(everything.export(again).splitlines())
        tables = {json.loads(row)["table"] for row in ours ^ theirs}
    assert tables == {"project_member", "record", "tag", "allocation"}  # what that line changed


def test_rows_that_lost_what_they_need_are_dropped_and_listed(
    filled: Sessions, storage: Path, fresh_url: Callable[[], str]
) -> None:
    damage(storage, b'"subject":"project:other"', b'"subject":"project:0ther"')
    url = fresh_url()
    report = rebuild(storage, url)
    assert not report.whole
    assert len(report.damages) == 1
    assert {m.done for m in report.mended} == {"dropped"}
    assert {m.table for m in report.mended} == {"dataset", "link"}
    with opened(url) as again, again() as session:
        assert session.scalars(select(t.Project.name)).all() == ["screen"]
        used = dict(session.execute(select(t.Allocation.project_id, t.Allocation.used)).all())
        here = t.Record.purged_at.is_(None)
        held = select(t.Record.project_id, func.sum(t.Record.nbytes)).where(here)
        held = held.group_by(t.Record.project_id)
        assert {k: v for k, v in used.items() if v} == dict(
            session.execute(held.group_by(t.Record.project_id)).all()
        )


def test_a_database_with_data_is_refused_and_not_changed(filled: Sessions, storage: Path) -> None:
    before = everything.export(filled)
    url = filled.kw["bind"].url.render_as_string(hide_password=False)
    with pytest.raises(Conflict, match="this database has data"):
        rebuild(storage, url)
    assert everything.export(filled) == before


def test_storage_without_a_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="holds no journal"):
        rebuild(tmp_path, f"sqlite:///{tmp_path}/new.sqlite")


def test_a_journal_that_a_service_writes_is_refused(storage: Path, tmp_path: Path) -> None:
    pen = Pen(folder_of(storage))
    with pytest.raises(Conflict, match="stop it first"):
        rebuild(storage, f"sqlite:///{tmp_path}/new.sqlite")
    pen.close()


def test_a_journal_of_another_release_is_refused(storage: Path, tmp_path: Path) -> None:
    pen = Pen(folder_of(storage))
    rows = [{"table": "team", "keys": [[9]], "before": None, "after": {}}]
    entry = {**pen.last.entry, "id": pen.last.id + 1, "rows": rows, "schema": "9999"}
    pen.add([{name: v for name, v in entry.items() if name not in ("sha256", "previous")}])
    pen.close()
    with pytest.raises(BadInput, match="rebuild with the release that wrote it"):
        rebuild(storage, f"sqlite:///{tmp_path}/new.sqlite")


def test_bytes_of_purged_records_are_remembered_to_be_removed(
    filled: Sessions, storage: Path, tmp_path: Path
) -> None:
    with filled() as session:
        uid = session.scalar(select(t.Image.uid).where(t.Image.purged_at.is_not(None)))
    prefix = f"images/{uid[:2]}/{uid}"
    (storage / prefix).mkdir(parents=True)
    url = f"sqlite:///{tmp_path}/new.sqlite"
    rebuild(storage, url)
    with opened(url) as again, again() as session:
        assert session.scalars(select(t.Grave.prefix)).all() == [prefix]
