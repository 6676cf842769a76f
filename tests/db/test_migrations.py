"""A catalog made by any released schema is brought up whole, or left as it was."""

from __future__ import annotations

import datetime as dt
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import world
from alembic import command
from old_catalogs import AT, FILL, IMAGES, TAGS, uid
from sqlalchemy import Connection, Inspector, func, inspect, select, text

from cid_server_ext.core.search import index
from cid_server_ext.db import compare, fulltext
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import (
    Sessions,
    _config,
    _known,
    connect,
    migrate,
    open_database,
)
from cid_server_ext.errors import Unavailable

_, *OLDER = _known("")


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    engine = connect(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@contextmanager
def catalog(url: str) -> Iterator[Sessions]:
    sessions = open_database(url)
    yield sessions
    sessions.kw["bind"].dispose()


def old(url: str, revision: str) -> str:
    """Make a catalog with data as `revision` kept it."""
    command.upgrade(_config(url), revision)
    with opened(url) as connection:
        FILL[revision](connection)
        connection.commit()
    return url


@pytest.fixture(params=OLDER)
def upgraded(request: pytest.FixtureRequest, empty_url: str) -> Iterator[Sessions]:
    """A catalog of each older release, brought to this one."""
    old(empty_url, request.param)
    assert migrate(empty_url)
    with catalog(empty_url) as sessions:
        yield sessions


def test_every_released_schema_has_a_catalog_to_upgrade() -> None:
    assert sorted(FILL) == sorted(OLDER)


def test_records_keep_uid_place_size_time_and_order(upgraded: Sessions) -> None:
    with upgraded() as session:
        found = session.scalars(select(t.Image).order_by(t.Image.id)).all()
        assert [i.uid for i in found] == [uid("image", n) for n in (1, 2, 3, 4)]
        assert [i.name for i in found] == [name for _, _, name, _, _ in IMAGES]
        assert [i.dataset.path for i in found] == ["Écran/plate 1", "", "Écran", "Écran/plate 1"]
        assert [i.project.name for i in found] == [
            "lab-screen",
            "other-screen",
            "lab-screen",
            "lab-screen",
        ]
        assert [i.nbytes for i in found] == [1000, 2000, 3000, 4000]
        assert found[0].created_at == AT + dt.timedelta(minutes=1)
        assert (found[0].shape, found[0].scale["y"], found[0].tier) == ([2, 64, 64], 0.5, "online")
        files = session.scalars(select(t.File).order_by(t.File.id)).all()
        assert [f.uid for f in files] == [uid("file", n) for n in (1, 2, 3, 4, 5)]
        assert {f.media_type for f in files} == {"text/x"}
        assert [(a.limit, a.used, a.reserved) for a in session.scalars(select(t.Allocation))] == [
            (10**9, 8100, 120),
            (10**9, 2050, 0),
        ]
        plate = session.scalars(select(t.Dataset).where(t.Dataset.uid == uid("dataset", 3))).one()
        assert (plate.path, plate.parent.path) == ("Écran/plate 1", "Écran")


def test_provenance_follows(upgraded: Sessions) -> None:
    with upgraded() as session:
        one, far, two, labels = session.scalars(select(t.Image).order_by(t.Image.id)).all()
        assert [i.original and i.original.name for i in (one, far, two, labels)] == [
            "one.tif",
            "far.tif",
            "two.tif",
            None,
        ]
        assert labels.source is two
        run = session.get_one(t.Run, labels.run_id)
        assert (run.uid, run.template.name, run.parameters) == (
            uid("run", 1),
            "count",
            {"sigma": 1.5},
        )
        assert [(i.image, i.role) for i in run.inputs] == [(one, "role 1"), (two, "role 2")]
        assert [f.name for f in (run.notebook,) if f] == ["executed.ipynb"]


def test_tags_keep_spelling_number_source_and_key(upgraded: Sessions) -> None:
    keys = {1: "Objective", 2: "GFP", 3: "gfp (2)", 4: "snr", 5: "GFP", 6: "fixed on"}
    with upgraded() as session:
        found = session.scalars(select(t.Tag).order_by(t.Tag.id)).all()
        said = [(tag.record.uid, tag.term.key, tag.shown, tag.number) for tag in found]
        assert said[:10] == [
            (uid("image", i), keys[k], v[:80] if n else v, n) for i, k, v, n in TAGS[:10]
        ]
        assert [tag.source for tag in found[:2]] == ["file", "person"]
        oil = found[0].value
        assert oil is not None
        assert (found[1].value, oil.folded) == (oil, "63x/1.4 ol")
        assert found[2].value is not oil  # another spelling
        assert session.scalar(select(func.count()).select_from(t.Value)) == 7
        folded = session.execute(select(t.Term.project_id, t.Term.folded)).all()
        assert sorted(folded, key=str) == sorted(
            [
                (None, "objective"),
                (1, "gfp"),
                (1, "gfp (2)"),
                (1, "snr"),
                (2, "gfp"),
                (1, "fixed on"),
                (None, "acquisition date"),
            ],
            key=str,
        )


def test_when_an_image_was_acquired_becomes_a_date(upgraded: Sessions) -> None:
    moment = dt.datetime(2026, 2, 28, 9, 20, 30, 500000, dt.UTC)
    day = dt.datetime(2026, 2, 28, tzinfo=dt.UTC)
    with upgraded() as session:
        term = session.scalars(select(t.Term).where(t.Term.key == "Acquisition date")).one()
        assert term.type == "date"
        found = session.scalars(select(t.Tag).where(t.Tag.term_id == term.id).order_by(t.Tag.id))
        assert [(tag.shown, tag.number) for tag in found] == [
            ("2026-02-28T09:20:30.500000Z", moment.timestamp()),
            ("2026-02-28", day.timestamp()),
            ("a while ago", None),
        ]
        images = session.scalars(select(t.Image).order_by(t.Image.id))
        assert [image.acquired_at for image in images] == [moment, day, None, None]


def test_people_deposits_and_history_stay(upgraded: Sessions) -> None:
    with upgraded() as session:
        members = session.execute(
            select(t.ProjectMember.person, t.ProjectMember.role, t.ProjectMember.ends_at).order_by(
                t.ProjectMember.person
            )
        ).all()
        assert members == [("ana", "contributor", None), ("ben", "viewer", AT)]
        deposits = session.scalars(select(t.Deposit).order_by(t.Deposit.id)).all()
        assert [(d.uid, d.state, d.lease_by) for d in deposits] == [
            (uid("deposit", 1), "open", None),
            (uid("deposit", 2), "importing", None),
            (uid("deposit", 3), "done", None),
        ]
        lines = session.scalars(select(t.Journal).order_by(t.Journal.id)).all()
        said = [(line.id, line.action, line.detail) for line in lines]
        assert said[:3] == [
            (1, "create project", {"n": 1}),
            (2, "create image", {"n": 2}),
            (3, "tag", {"n": 3}),
        ]
        assert said[3:] == [(4, "migrate", {"from": "0001"})]
        assert {line.rows == [] for line in lines} == {True}


def test_every_reference_holds(upgraded: Sessions) -> None:
    with upgraded() as session:
        if session.get_bind().dialect.name == "sqlite":
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
        for table in t.Base.metadata.sorted_tables:
            for key in table.foreign_keys:
                column, target = key.parent, key.column.table.alias()
                there = select(target).where(target.c[key.column.name] == column).exists()
                lost = select(func.count()).where(column.is_not(None), ~there)
                assert session.scalar(lost) == 0, key


def test_what_searches_read_is_what_this_release_would_make(upgraded: Sessions) -> None:
    def derived() -> list[Any]:
        with upgraded() as session:
            return [
                session.execute(select(*table.columns).order_by(*table.primary_key)).all()
                for table in (t.Posting.__table__, t.Tally.__table__, t.Document.__table__)
            ]

    made = derived()
    assert [len(rows) for rows in made[:1]] == [20]
    with upgraded.begin() as session:
        index.remake(session)
    assert derived() == made


def test_the_full_text_indexes_know_what_was_there(upgraded: Sessions) -> None:
    with upgraded() as session:
        search = fulltext.of(session.get_bind().dialect.name)
        one, far, labels = 2, 4, 8
        for asked, found in (
            (search.with_words(["gro"], whole=True), []),
            (search.with_words(["zellkern", "grosse"], whole=True), [one]),
            (search.with_words(["zellk"], whole=False), [one]),
            (search.with_words(["weak"], whole=True), [one, far]),
            (search.with_letters("o thi"), [labels]),
        ):
            assert sorted(session.scalars(asked)) == found


def test_what_is_new_is_numbered_after_what_was_there(upgraded: Sessions) -> None:
    with upgraded.begin() as session:
        before = session.scalar(select(func.max(t.Record.id)))
        world.make(session, "new")
    with upgraded() as session:
        new = session.scalars(select(t.Image).where(t.Image.name == "cells")).one()
        assert new.id > before


def test_the_upgraded_schema_is_that_of_the_models(upgraded: Sessions) -> None:
    found = _described(inspect(upgraded.kw["bind"])), _full_text(upgraded)
    with upgraded.kw["bind"].begin() as connection:
        search = fulltext.of(connection.dialect.name)
        search.drop(connection)
        t.Base.metadata.drop_all(connection)
        assert inspect(connection).get_table_names() == ["alembic_version"]
        t.Base.metadata.create_all(connection)
        search.create(connection)
    assert found == (_described(inspect(upgraded.kw["bind"])), _full_text(upgraded))


def _full_text(sessions: Sessions) -> list[Any]:
    """Return how the full-text indexes and what keeps them are defined."""
    defined = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE name LIKE 'document%' ORDER BY name",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'document'"
        " UNION SELECT column_name, generation_expression FROM information_schema.columns"
        " WHERE table_name = 'document' ORDER BY 1",
    }
    with sessions() as session:
        chosen = text(defined[session.get_bind().dialect.name])
        rows = [tuple(row) for row in session.execute(chosen)]
    assert len(rows) > 5
    return [row for row in rows if row[0] != "document"]


def _described(inspector: Inspector) -> dict[str, Any]:
    """Describe all tables: columns with defaults, keys, references, checks, indexes."""

    def said(items: Any) -> list[str]:
        return sorted(str(sorted((k, _plain(v)) for k, v in item.items())) for item in items)

    return {
        table: (
            said(c for c in inspector.get_columns(table) if c["name"] != "vector"),
            inspector.get_pk_constraint(table),
            said(inspector.get_foreign_keys(table)),
            said(inspector.get_check_constraints(table)),
            said(inspector.get_unique_constraints(table)),
            said(i for i in inspector.get_indexes(table) if i["name"] not in compare.INDEXES),
        )
        for table in inspector.get_table_names()
        if not table.startswith((*compare.TABLES, "alembic"))
    }


def _plain(value: Any) -> Any:
    return {k: str(v) for k, v in value.items()} if isinstance(value, dict) else str(value)


KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from cid_server_ext.db.session import migrate

url, last = sys.argv[1], int(sys.argv[2])
done = 0

@event.listens_for(Engine, "before_cursor_execute")
def count(*_):
    global done
    done += 1
    if done == last:
        os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "commit")
def commit(_):
    if last == 0 and done > 100:
        print(done, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

migrate(url)
"""


def killed(url: str, last: int) -> subprocess.CompletedProcess[str]:
    """Migrate in a process that is killed before its statement number `last`; 0: at the commit."""
    return subprocess.run(
        [sys.executable, "-c", KILLED, url, str(last)], capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("revision", OLDER)
def test_killed_at_any_statement_leaves_the_old_catalog_whole(
    empty_url: str, revision: str
) -> None:
    url = old(empty_url, revision)
    with opened(url) as connection:
        before = _rows(connection)
    statements = int(killed(url, 0).stdout)
    for last in (*random.Random(7).sample(range(5, statements), 4), statements, 0):
        died = killed(url, last)
        assert died.returncode == -signal.SIGKILL, died.stderr
        with opened(url) as connection:
            assert _rows(connection) == before
            if connection.dialect.name == "sqlite":
                assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
        with pytest.raises(Unavailable, match=f"has schema {revision}"):
            open_database(url)
    assert migrate(url)
    with catalog(url) as sessions, sessions() as session:
        assert session.scalar(select(func.count()).select_from(t.Image)) == len(IMAGES)


def _rows(connection: Connection) -> dict[str, list[Any]]:
    """Return all rows of all tables as they are."""
    names = sorted(inspect(connection).get_table_names())
    return {
        name: sorted(map(str, connection.execute(text(f'SELECT * FROM "{name}"'))))
        for name in names
    }


def test_a_newer_releases_catalog_is_refused_and_left_alone(empty_url: str) -> None:
    migrate(empty_url)
    with opened(empty_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()
        before = _rows(connection)
        connection.rollback()
    for refused in (migrate, open_database):
        with pytest.raises(Unavailable, match="schema 9999, which this release does not know"):
            refused(empty_url)
    with opened(empty_url) as connection:
        assert _rows(connection) == before


@pytest.mark.parametrize("revision", OLDER)
def test_a_damaged_sqlite_catalog_is_left_as_it_is(tmp_path: Path, revision: str) -> None:
    url = old(f"sqlite:///{tmp_path}/catalog.sqlite", revision)
    raw = sqlite3.connect(tmp_path / "catalog.sqlite")
    raw.execute("DELETE FROM image WHERE id = 1")  # tags and inputs of runs point to it
    raw.commit()
    raw.close()
    with opened(url) as connection:
        before = _rows(connection)
    with pytest.raises(Unavailable, match=r"rows point to nothing \(.*tag to record"):
        migrate(url)
    with opened(url) as connection:
        assert _rows(connection) == before


def test_there_is_no_way_back(empty_url: str) -> None:
    migrate(empty_url)
    for to in OLDER:
        with pytest.raises(Unavailable, match="restore the backup"):
            command.downgrade(_config(empty_url), to)
    open_database(empty_url).kw["bind"].dispose()


def test_an_empty_older_catalog_gets_no_entry_in_its_journal(empty_url: str) -> None:
    command.upgrade(_config(empty_url), OLDER[-1])
    migrate(empty_url)
    with catalog(empty_url) as sessions, sessions() as session:
        assert session.scalars(select(t.Journal)).all() == []
