"""The real service on each database: what is sent to it meets SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import postgres
import pytest
from processes import Service, start_service, stop

from cid_server_ext.db.session import Sessions, open_database

DATABASES = ["sqlite", "postgresql"] if postgres.FOUND else ["sqlite"]


@dataclass(frozen=True)
class Live:
    """A running service and sessions on its database."""

    service: Service
    sessions: Sessions
    database: str


@pytest.fixture(scope="session", params=DATABASES)
def live(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    empty_database: bytes,
) -> Iterator[Live]:
    """The catalog service; nobody is asked to wait for his turn."""
    folder = tmp_path_factory.mktemp("live")
    if request.param == "sqlite":
        (folder / "catalog.sqlite").write_bytes(empty_database)
        url = f"sqlite:///{folder}/catalog.sqlite"
    else:
        url = postgres.copy(request.getfixturevalue("postgresql"))
    service = start_service(folder, CID_DATABASE=url, CID_RATE="1000000", CID_BURST="1000000")
    sessions = open_database(url)
    yield Live(service, sessions, request.param)
    sessions.kw["bind"].dispose()
    stop(service.process)
