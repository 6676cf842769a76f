from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from cid_server_ext.db import compare
from cid_server_ext.db.session import Sessions, connect, migrate, open_database, reading
from cid_server_ext.db.tables import Base
from cid_server_ext.errors import Unavailable
from cid_server_ext.scrub import scrubbed

ROOT = Path(__file__).parents[2]
FTS5 = ("", "_config", "_data", "_docsize", "_idx")
FULL_TEXT = {
    "sqlite": {f"document_{what}{part}" for what in ("words", "name") for part in FTS5},
    "postgresql": {"vector", "ix_document_vector", "ix_document_name"},
}


@pytest.fixture
def sqlite(tmp_path: Path, empty_database: bytes) -> Iterator[Sessions]:
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    made = open_database(f"sqlite:///{tmp_path}/catalog.sqlite")
    yield made
    made.kw["bind"].dispose()


def test_migrations_and_tables_say_the_same(sessions: Sessions) -> None:
    with sessions.kw["bind"].connect() as connection:
        left_out: set[str] = set()

        def kept(obj: Any, name: str, *how: Any) -> bool:
            left_out.update([name] * (not compare.included(obj, name, *how)))
            return name not in left_out

        options = {"compare_type": True, "include_object": kept}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
        assert left_out == FULL_TEXT[connection.dialect.name]


def test_a_database_without_our_schema_is_refused_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="run `jupyter cid migrate`"):
        open_database(f"sqlite:///{tmp_path}/new.sqlite")


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite"
    migrate(url)
    migrate(url)
    open_database(url).kw["bind"].dispose()


def test_sqlite_keeps_acknowledged_writes_and_references(sqlite: Sessions) -> None:
    with sqlite.begin() as session:
        asked = {p: session.scalar(text(f"PRAGMA {p}")) for p in ("journal_mode", "foreign_keys")}
        assert asked == {"journal_mode": "wal", "foreign_keys": 1}
        assert session.scalar(text("PRAGMA synchronous")) == 2


def test_a_reader_does_not_wait_for_a_writer(sessions: Sessions) -> None:
    with sessions.begin() as writer:
        writer.execute(text("INSERT INTO team (uid, name, title) VALUES ('u', 'n', 't')"))
        with reading(sessions) as reader:
            assert reader.scalar(text("SELECT count(*) FROM team")) == 0


def test_an_error_names_no_value(sessions: Sessions) -> None:
    one = text("INSERT INTO team (uid, name, title) VALUES (:u, :n, 'secret words')")
    with sessions() as session:
        session.execute(one, {"u": "u", "n": "secret name"})
        with pytest.raises(IntegrityError) as caught:
            session.execute(one, {"u": "v", "n": "secret name"})
    assert "hidden" in str(caught.value)
    assert "secret name" not in scrubbed(str(caught.value))


def test_postgresql_gets_a_pool_that_notices_dead_connections() -> None:
    engine = connect("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert engine.pool._pre_ping
    engine.dispose()


def test_without_postgresql_nothing_of_the_tests_asks_for_it() -> None:
    own = {"PATH": str(Path(sys.executable).parent), "HOME": "/nonexistent"}
    asked = ["handlers/test_database_away.py", "db", "handlers/test_two_services.py"]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    listed = subprocess.run(
        [*command, *(f"tests/{one}" for one in asked)],
        cwd=ROOT,
        env=own,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert "tests/db/test_session.py" in listed.stdout
    assert "deselected" in listed.stdout
    for name in ("test_database_away", "test_a_role_without_more_rights", "[postgresql"):
        assert name not in listed.stdout
