"""Write a facility's rows quickly into a migrated database, indexes and constraints afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from _facility import Made
from _rows import tables

from cid_server_ext.db.session import migrate

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
def postgresql(port: int) -> Iterator[str]:
    """Give the URL of an empty PostgreSQL server, in a folder that goes away with it."""
    folder = Path(tempfile.mkdtemp(prefix="cid-bench-pg-"))
    who = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
    if who:
        owner = pwd.getpwnam("nobody")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    options = ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}"]
    given = " ".join(f"-c {setting}" for setting in [*options, *SETTINGS])
    data = str(folder / "data")

    def run(*command: str) -> None:
        subprocess.run(
            command, check=True, cwd=folder, env=environ, stdout=subprocess.DEVNULL, **who
        )

    run("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8")
    run("pg_ctl", "-D", data, "-l", str(folder / "log"), "-w", "-o", given, "start")
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


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


def into_sqlite(path: Path, made: Made) -> str:
    """Insert everything, then make what was dropped for it again; return the URL."""
    url = f"sqlite:///{path}"
    migrate(url)
    with sqlite3.connect(path, isolation_level=None) as connection:
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
    return url
