"""One facility on each database, which the tests of this folder only read."""

from __future__ import annotations

from collections.abc import Iterator

import postgres
import pytest
from compare_answers import SEED, STEPS, opened, steps
from odd_facility import make, write
from search_oracle import Oracle
from sqlalchemy.orm import Session

from cid_server_ext.db.session import Sessions, reading

DATABASES = ["sqlite", "postgresql"] if postgres.FOUND else ["sqlite"]


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """What the rows say."""
    return Oracle(make(SEED))


@pytest.fixture(scope="session", params=DATABASES)
def filled(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    empty_database: bytes,
    oracle: Oracle,
) -> Iterator[Sessions]:
    """Sessions on a database with the odd facility."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("odd") / "catalog.sqlite"
        path.write_bytes(empty_database)
        url = f"sqlite:///{path}"
    else:
        url = postgres.copy(request.getfixturevalue("postgresql"))
    with opened(url) as sessions:
        with sessions.begin() as session:
            write(session, oracle.made)
        yield sessions


@pytest.fixture(params=list(STEPS))
def ways(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take the ways of a small facility, and of a large one."""
    steps(request.param)
    yield
    steps("real")


@pytest.fixture
def session(filled: Sessions) -> Iterator[Session]:
    """A session that only reads it."""
    with reading(filled) as session:
        yield session
