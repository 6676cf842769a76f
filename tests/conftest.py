"""Fixtures that many tests share: a database, the service, the real files."""

from __future__ import annotations

import gc
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import postgres
from processes import Service, start_service, stop
from sqlalchemy import text

from cid_server_ext.db.session import Sessions, connect, migrate, open_database

pytest_plugins = ["hub_fixture", "rooms"]

DATABASES = ["sqlite", "postgresql"] if postgres.FOUND else ["sqlite"]


def pytest_report_header() -> str:
    """Say which databases the tests run on."""
    return f"databases: {', '.join(DATABASES)}"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "postgresql: needs one of its own, and nothing else will do")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs PostgreSQL where there is none, as its parameter is left out."""
    if not postgres.FOUND:
        needing = [item for item in items if item.get_closest_marker("postgresql")]
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


def pytest_collection_finish() -> None:
    """Let no collection of garbage look through all that the tests consist of."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a migrated SQLite file, so that a test copies it instead of migrating."""
    path = tmp_path_factory.mktemp("empty") / "catalog.sqlite"
    migrate(f"sqlite:///{path}")
    return path.read_bytes()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Postgres]:
    """A real PostgreSQL with one migrated database that tests copy."""
    server = postgres.start()
    _tell(server, "CREATE DATABASE empty")
    migrate(server.url("empty"))
    yield server
    postgres.stop(server)


def _tell(server: postgres.Postgres, statement: str) -> None:
    engine = connect(server.url("postgres"))
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(statement))
    engine.dispose()


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/catalog.sqlite"
    server = request.getfixturevalue("postgresql")
    name = f"t{uuid.uuid4().hex}"
    _tell(server, f"CREATE DATABASE {name}")
    return str(server.url(name))


@pytest.fixture(params=DATABASES)
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty catalog, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "catalog.sqlite"
        path.write_bytes(request.getfixturevalue("empty_database"))
        return f"sqlite:///{path}"
    return postgres.copy(request.getfixturevalue("postgresql"))


@pytest.fixture
def sessions(catalog_url: str) -> Iterator[Sessions]:
    """Sessions on an empty catalog, on SQLite and on PostgreSQL."""
    made = open_database(catalog_url)
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


@pytest.fixture(autouse=True)
def no_cluster_is_left_as_default() -> Iterator[None]:
    """Whoever computes with Dask after a test that had a cluster computes here."""
    yield
    if dask := sys.modules.get("dask"):
        dask.config.config.pop("scheduler", None)
