"""PostgreSQL restarts, dies or is full while people work: 503 by name, then all is well again."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress

import acknowledged
import httpx
import load
import postgres
import psycopg
import pytest
import world
from live import Live
from processes import Service, start_service, stop, wait_until
from sqlalchemy import text

from cid_server_ext.db.session import Sessions, connect, migrate, open_database

pytestmark = pytest.mark.postgresql
CLIENTS = 20
SAFE = "fsync=off full_page_writes=off shared_buffers=32MB max_connections=30"


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    """A PostgreSQL that keeps what it acknowledged, also when its processes are killed."""
    made = postgres.start(SAFE)
    engine = connect(made.url("postgres"))
    with engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        plain.execute(text("CREATE DATABASE catalog"))
    engine.dispose()
    migrate(made.url("catalog"))
    yield made
    postgres.stop(made)


@pytest.fixture(scope="module")
def sessions(server: postgres.Postgres) -> Iterator[Sessions]:
    made = open_database(server.url("catalog"))
    yield made
    made.kw["bind"].dispose()


@pytest.fixture(scope="module")
def service(
    server: postgres.Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    unlimited = {"CID_RATE": "1000000", "CID_BURST": "1000000"}
    folder = tmp_path_factory.mktemp("away")
    made = start_service(folder, CID_DATABASE=server.url("catalog"), **unlimited)
    yield made
    stop(made.process)


@pytest.fixture(scope="module")
def shared(sessions: Sessions) -> load.Shared:
    return load.make(sessions, people=CLIENTS)


def restart(server: postgres.Postgres) -> None:
    postgres.halt(server, "fast")
    postgres.launch(server)


def restart_at_once(server: postgres.Postgres) -> None:
    postgres.halt(server, "immediate")
    postgres.launch(server)


def kill(server: postgres.Postgres) -> None:
    postgres.kill(server)
    postgres.launch(server)


@pytest.mark.parametrize("outage", [restart, restart_at_once, kill])
def test_errors_last_as_long_as_the_outage_and_nothing_acknowledged_is_lost(
    server: postgres.Postgres,
    service: Service,
    sessions: Sessions,
    shared: load.Shared,
    outage: Callable[[postgres.Postgres], None],
) -> None:
    log, enough = load.Log(), threading.Event()
    people = [load.Person(n, [service.url], shared, log) for n in range(CLIENTS)]

    def answered(more: int) -> None:
        """Wait until so many more have succeeded."""
        wanted = log.statuses()[200] + more
        wait_until(lambda: log.statuses()[200] >= wanted, 60, "people go on working")

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(load.work, people, load.anything, enough.is_set)
        try:
            answered(60)
            assert log.failures() == []
            outage(server)
            back = time.monotonic()
            answered(100)
        finally:
            enough.set()
        working.result()
    failures = log.failures()
    assert failures
    assert {(status, name) for _, status, name in failures} == {(503, "Unavailable")}
    late = [round(asked - back, 1) for asked, _, _ in failures if asked > back + 5]
    assert late == []  # whoever asks a moment after the outage is answered
    sessions.kw["bind"].dispose()  # our own connections died too
    assert acknowledged.check(sessions, people) > CLIENTS


def test_a_full_database_is_503_with_retry_after_until_there_is_room(
    server: postgres.Postgres, service: Service, sessions: Sessions, shared: load.Shared
) -> None:
    sessions.kw["bind"].dispose()
    address = f"host=127.0.0.1 port={server.port} user=postgres dbname=catalog"
    held: list[psycopg.Connection] = [psycopg.connect(address, autocommit=True)]

    def refused() -> httpx.Response | None:
        """Take every connection, the service's own too, and ask for something."""
        ours = [connection.info.backend_pid for connection in held]
        held[0].execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> ALL(%s) AND backend_type = 'client backend'",
            (ours,),
        )
        with suppress(psycopg.OperationalError):
            while True:
                held.append(psycopg.connect(address, autocommit=True))
        answer = service.ask("GET", "projects", "viewer")
        return None if answer.is_success else answer

    try:
        answer = wait_until(refused, what="the database is full")
    finally:
        for connection in held:
            connection.close()
    assert (answer.status_code, answer.json()["error"]) == (503, "Unavailable")
    assert answer.headers["Retry-After"].isdecimal()
    wait_until(lambda: service.ask("GET", "projects", "viewer").is_success, what="there is room")


def test_a_lock_held_long_is_503_for_writers_and_nothing_for_readers(live: Live) -> None:
    name = f"locked-{uuid.uuid4().hex[:8]}"
    with live.sessions.begin() as session:
        world.make_project(session, name)
    path = f"projects/{name}"

    def write(n: int) -> httpx.Response:
        role = {"role": "viewer"}
        return live.service.ask("PUT", f"{path}/members/new-{n}", "manager", json=role)

    with live.sessions.kw["bind"].connect() as holder, ThreadPoolExecutor(CLIENTS) as pool:
        # on SQLite every transaction of the engine begins as the only writer
        only = (
            "SELECT 1"
            if live.database == "sqlite"
            else "LOCK TABLE project_member IN EXCLUSIVE MODE"
        )
        holder.execute(text(only))
        writing = [pool.submit(write, n) for n in range(CLIENTS)]
        for _ in range(10):
            assert live.service.ask("GET", path, "viewer").status_code == 200
        assert not any(done.done() for done in writing)  # nor did a reader wait as long as they
        first = next(as_completed(writing)).result()
        assert (first.status_code, first.json()["error"]) == (503, "Unavailable")
        assert first.headers["Retry-After"].isdecimal()
        holder.rollback()
        answers = [done.result().status_code for done in writing]
    assert set(answers) == {200, 503}  # those that had waited too long, and those that had not
    assert write(0).status_code == 200
