"""Write a facility's rows quickly into a migrated database, indexes and constraints afterwards."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import _facility
import _rows
import psycopg
from _facility import Made
from _rows import tables
from ports import free_port

from cid_server_ext.db.session import MIGRATIONS, migrate

LARGE = ("record", "tag", "document", "posting", "tally")
SETTINGS = (
    "shared_buffers=1GB",
    "work_mem=32MB",
    "maintenance_work_mem=512MB",
    "max_wal_size=8GB",
    "effective_cache_size=8GB",
    "random_page_cost=1.1",
    "synchronous_commit=off",
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
)


@contextmanager
def filled(database: str, folder: Path, made: Made) -> Iterator[str]:
    """Give the URL of a database with the facility's rows; one that `folder` has is taken as it is.

    It is taken when it was filled whole, by these rows and for this schema.
    """
    place = folder / f"{database}-{made.images}-{_version()}"
    whole = place.with_name(f"{place.name}.whole")
    if place.exists() and not whole.exists():
        shutil.rmtree(place)
    place.mkdir(parents=True, exist_ok=True)
    with postgresql(place) if database == "postgresql" else sqlite(place) as url:
        if not whole.exists():
            (into_postgresql if database == "postgresql" else into_sqlite)(url, made)
            whole.touch()
            os.sync()  # gigabytes on their way to the disk would be measured too
        yield url


def _version() -> str:
    """Return a digest of what the rows are made with, and of the schema's revisions."""
    revisions = sorted((MIGRATIONS / "versions").rglob("*.py"))
    read = [Path(_facility.__file__), Path(_rows.__file__), *revisions]
    return hashlib.sha256(b"".join(path.read_bytes() for path in read)).hexdigest()[:8]


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """Give the URL of a file in a folder."""
    yield f"sqlite:///{folder}/catalog.sqlite"


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Give the URL of a PostgreSQL server whose data is in a folder; it is stopped in the end."""
    who = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
    if who:
        owner = pwd.getpwnam("nobody")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    port, data = free_port(), str(folder / "data")
    options = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories="]
    given = " ".join(f"-c {setting}" for setting in [*options, *SETTINGS])

    def run(*command: str) -> None:
        subprocess.run(
            command, check=True, cwd=folder, env=environ, stdout=subprocess.DEVNULL, **who
        )

    if not (folder / "data").exists():
        run("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8")
    run("pg_ctl", "-D", data, "-l", str(folder / "log"), "-w", "-o", given, "start")
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", data, "-m", "fast", "stop")


def into_postgresql(url: str, made: Made) -> None:
    """Copy everything, then make what was dropped for it again."""
    migrate(url)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        again = [statement for table in LARGE for statement in _dropped(connection, table)]
        for table, columns, batches in tables(made):
            named = ", ".join(f'"{column}"' for column in columns)
            with connection.cursor().copy(f"COPY {table} ({named}) FROM STDIN") as copy:
                for rows in batches:
                    _send(copy, rows)
        for statement in again:
            connection.execute(statement)
        for table in ("record", "dataset", "project", "team", "term", "value", "tag", "journal"):
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")  # a facility is not asked while it is being made


def _send(copy: psycopg.Copy, rows: object) -> None:
    lines: list[str] = []
    for row in rows:  # type: ignore[attr-defined]
        lines.append("\t".join(["\\N" if v is None else str(v) for v in row]))
        if len(lines) == 20_000:
            copy.write("\n".join(lines) + "\n")
            lines.clear()
    if lines:
        copy.write("\n".join(lines) + "\n")


def _dropped(connection: psycopg.Connection, table: str) -> list[str]:
    """Drop keys and indexes of a table; return the statements that make them again."""
    keys = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype IN ('p', 'u') ORDER BY contype",
        [table],
    ).fetchall()
    foreign = connection.execute(
        "SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE confrelid = %s::regclass AND contype = 'f'",
        [table],
    ).fetchall()
    names = {name for name, _ in keys}
    indexes = [
        (name, made)
        for name, made in connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s", [table]
        ).fetchall()
        if name not in names
    ]
    again = [f"ALTER TABLE {table} ADD CONSTRAINT {name} {made}" for name, made in keys]
    again += [made for _, made in indexes]
    again += [f"ALTER TABLE {of} ADD CONSTRAINT {name} {made}" for name, of, made in foreign]
    for name, of, _ in foreign:
        connection.execute(f"ALTER TABLE {of} DROP CONSTRAINT {name}")
    for name, _ in keys:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    return again


def into_sqlite(url: str, made: Made) -> None:
    """Insert everything, then make what was dropped for it again."""
    migrate(url)
    with sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000"):
            connection.execute(f"PRAGMA {pragma}")
        again = []
        for table in LARGE:
            found = connection.execute(
                "SELECT type, name, sql FROM sqlite_master"
                " WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL",
                [table],
            ).fetchall()
            for kind, name, made_by in found:
                connection.execute(f'DROP {kind} "{name}"')
                again.append(made_by)
        connection.execute("BEGIN")
        for table, columns, batches in tables(made):
            marks = ", ".join("?" * len(columns))
            named = ", ".join(f'"{column}"' for column in columns)
            for rows in batches:
                connection.executemany(f"INSERT INTO {table} ({named}) VALUES ({marks})", rows)
        for statement in again:
            connection.execute(statement)
        for index in ("document_words", "document_name"):
            connection.execute(f"INSERT INTO {index}({index}) VALUES ('rebuild')")
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA journal_mode=WAL")
