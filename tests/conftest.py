"""Fixtures that many tests share: a database, the service, the real files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from processes import Service, start_service, stop

from cid_server_ext.db.session import Sessions, migrate, open_database


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a migrated SQLite file, so that a test copies it instead of migrating."""
    path = tmp_path_factory.mktemp("empty") / "catalog.sqlite"
    migrate(f"sqlite:///{path}")
    return path.read_bytes()


@pytest.fixture
def sessions(tmp_path: Path, empty_database: bytes) -> Iterator[Sessions]:
    """Sessions on an empty catalog."""
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(empty_database)
    made = open_database(f"sqlite:///{path}")
    yield made
    made.kw["bind"].dispose()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, empty_database: bytes) -> Iterator[Service]:
    """The real catalog service; who is asking is said in a header."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "catalog.sqlite").write_bytes(empty_database)
    running = start_service(folder)
    yield running
    stop(running.process)


@pytest.fixture(scope="session")
def service_database(service: Service) -> Iterator[Sessions]:
    """Sessions on the service's own database."""
    made = open_database(f"sqlite:///{service.folder}/catalog.sqlite")
    yield made
    made.kw["bind"].dispose()
