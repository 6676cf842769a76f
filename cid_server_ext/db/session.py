"""Open the catalog's database, SQLite or PostgreSQL, and refuse one with another schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from ..errors import Unavailable
from .capture import watch

Sessions = sessionmaker[Session]

MIGRATIONS = Path(__file__).parent / "migrations"


def connect(url: str, *, pool_size: int = 8) -> Engine:
    """Return an engine with the settings that keep acknowledged writes."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=pool_size, pool_pre_ping=True)
    engine = create_engine(url, pool_size=pool_size, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        # autocommit, so that BEGIN IMMEDIATE below is ours: a writer waits for its turn at the
        # start instead of failing when it upgrades a read transaction
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql("BEGIN" if options.get("reads") else "BEGIN IMMEDIATE")

    return engine


def migrate(url: str) -> None:
    """Bring the schema at `url` to the newest revision; an empty database gets all tables."""
    command.upgrade(_config(url), "head")


def open_database(url: str) -> Sessions:
    """Return sessions on `url`, or raise Unavailable when its schema is not this release's."""
    engine = connect(url)
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    wanted = ScriptDirectory.from_config(_config(url)).get_current_head()
    if found != wanted:
        engine.dispose()
        raise Unavailable(
            f"the database has schema {found or 'none'}, this release needs {wanted}: "
            "stop the service, make a backup and run `jupyter cid migrate`"
        )
    return watch(sessionmaker(engine, expire_on_commit=False))


@contextmanager
def reading(sessions: Sessions) -> Iterator[Session]:
    """Give a session that only reads: on SQLite it waits for no writer and holds none up."""
    with sessions() as session:
        session.connection(execution_options={"reads": True})
        yield session
        session.rollback()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config
