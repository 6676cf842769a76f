"""Open the catalog's database, SQLite or PostgreSQL, and refuse one with another schema."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

from ..errors import Unavailable
from .capture import watch
from .place import require_local

Sessions = sessionmaker[Session]

PATIENCE = 10  # seconds
DEADLINE = "deadline"
CACHE = "cache_size=-32000"  # KiB of SQLite's pages that a connection may keep
STEPS = 500_000  # of SQLite's machine between two looks at the clock, some tens of milliseconds
_STATEMENT_TIMEOUT = text("SELECT set_config('statement_timeout', :limit, true)")

MIGRATIONS = Path(__file__).parent / "migrations"


def connect(url: str, *, pool_size: int = 14) -> Engine:
    """Return an engine with the settings that keep acknowledged writes.

    Raises Unavailable for a SQLite file on a network file system. Nobody waits for another's lock
    longer than PATIENCE seconds. An error names no value that a statement was given.
    """
    if not url.startswith("sqlite"):
        # a search is over before PostgreSQL has compiled it
        options = f"-c lock_timeout={PATIENCE}s -c jit=off"
        waits = {"connect_timeout": PATIENCE, "options": options}
        # the last one used comes first: it has most statements prepared
        return create_engine(
            url,
            pool_size=pool_size,
            pool_pre_ping=True,
            pool_use_lifo=True,
            connect_args=waits,
            hide_parameters=True,
        )
    waits = {"timeout": PATIENCE}
    engine = create_engine(url, pool_size=pool_size, connect_args=waits, hide_parameters=True)
    if engine.url.database:
        require_local(engine.url.database)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        # autocommit, so that BEGIN IMMEDIATE below is ours: a writer waits for its turn at the
        # start instead of failing when it upgrades a read transaction
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", CACHE):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql("BEGIN" if options.get("reads") else "BEGIN IMMEDIATE")

    return engine


def migrate(url: str) -> bool:
    """Bring the schema at `url` to the newest revision, whole or not at all; False: it was there.

    An empty database gets all tables. Raises Unavailable when a newer release made the schema.
    """
    engine = connect(url)
    try:
        found = _revision(engine)
    finally:
        engine.dispose()
    if found not in (None, *_known(url)):
        raise Unavailable(_newer(found))
    if found == _wanted(url):
        return False
    command.upgrade(_config(url), "head")
    return True


def open_database(url: str) -> Sessions:
    """Return sessions on `url`, or raise Unavailable when its schema is not this release's."""
    engine = connect(url)
    found, wanted = _revision(engine), _wanted(url)
    if found != wanted:
        engine.dispose()
        if found not in (None, *_known(url)):
            raise Unavailable(_newer(found))
        raise Unavailable(
            f"the database has schema {found or 'none'}, this release needs {wanted}: "
            "stop the service, make a backup and run `jupyter cid migrate`"
        )
    return watch(sessionmaker(engine, expire_on_commit=False))


@contextmanager
def reading(sessions: Sessions, seconds: float | None = None) -> Iterator[Session]:
    """Give a session that only reads: on SQLite it waits for no writer and holds none up."""
    with sessions() as session:
        session.connection(execution_options={"reads": True})
        if seconds is None:
            yield session
        else:
            with limited(session, seconds, to_the_end=True):
                yield session


@contextmanager
def limited(session: Session, seconds: float, *, to_the_end: bool = False) -> Iterator[None]:
    """After `seconds` the database ends what it does in here with an error (`overdue`).

    `to_the_end`: nothing comes after it in this transaction.
    """
    connection = session.connection()
    deadline = session.info[DEADLINE] = time.monotonic() + seconds
    driver: Any = connection.connection.driver_connection
    try:
        if connection.dialect.name == "postgresql":
            connection.execute(_STATEMENT_TIMEOUT, {"limit": f"{round(seconds * 1000)}ms"})
            yield  # an error ends the transaction, and the limit with it
            if not to_the_end:
                connection.execute(_STATEMENT_TIMEOUT, {"limit": "0"})
        else:
            driver.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
            yield
    finally:
        session.info.pop(DEADLINE)
        if connection.dialect.name != "postgresql":
            driver.set_progress_handler(None, 0)


def overdue(error: Exception) -> bool:
    """Say whether this error ended a statement whose time was up."""
    original = getattr(error, "orig", None)
    name = getattr(original, "sqlite_errorname", None)
    return getattr(original, "sqlstate", None) == "57014" or name == "SQLITE_INTERRUPT"


def in_time(session: Session) -> bool:
    """Say whether there is time for another statement; PostgreSQL counts each by itself."""
    deadline: float = session.info.get(DEADLINE, math.inf)
    return time.monotonic() < deadline


def schema_of(sessions: Sessions) -> str:
    """Return the revision of the schema that these sessions work on."""
    with reading(sessions) as session:
        return str(MigrationContext.configure(session.connection()).get_current_revision())


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _wanted(url: str) -> str | None:
    return ScriptDirectory.from_config(_config(url)).get_current_head()


def _known(url: str) -> list[str]:
    return [
        script.revision for script in ScriptDirectory.from_config(_config(url)).walk_revisions()
    ]


def _newer(found: str | None) -> str:
    return (
        f"the database has schema {found}, which this release does not know: "
        "install the release that made it, or restore a backup from before"
    )


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config
