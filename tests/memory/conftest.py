"""A catalog with everything in it and its journal on storage; empty databases to rebuild into."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import everything
import postgres
import pytest
from sqlalchemy import text

from cid_server_ext.db.session import Sessions, connect

DATABASES = ["sqlite", "postgresql"] if postgres.FOUND else ["sqlite"]


@pytest.fixture
def filled(sessions: Sessions) -> Sessions:
    """A catalog with everything in it."""
    everything.fill(sessions)
    return sessions


@pytest.fixture
def storage(filled: Sessions, tmp_path: Path) -> Path:
    """The storage with that catalog's journal."""
    return everything.written(filled, tmp_path / "storage")


@pytest.fixture(params=DATABASES)
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Give the address of a database without a table, again and again."""

    def url() -> str:
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path}/{uuid.uuid4().hex}.sqlite"
        server, name = request.getfixturevalue("postgresql"), f"r{uuid.uuid4().hex}"
        engine = connect(server.url("postgres"))
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return server.url(name)

    return url
