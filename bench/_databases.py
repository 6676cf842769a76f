"""Empty databases for a bench: SQLite, and PostgreSQL where it is installed."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator

import postgres
from sqlalchemy import text

from cid_server_ext.db.session import connect


@contextlib.contextmanager
def databases(name: str) -> Iterator[dict[str, str]]:
    """Yield their addresses by their kind; they are gone after the block."""
    with tempfile.TemporaryDirectory() as folder:
        urls = {"sqlite": f"sqlite:///{folder}/catalog.sqlite"}
        server = postgres.start() if postgres.FOUND else None
        try:
            if server is not None:
                engine = connect(server.url("postgres"))
                with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as made:
                    made.execute(text(f"CREATE DATABASE {name}"))
                engine.dispose()
                urls["postgresql"] = server.url(name)
            yield urls
        finally:
            if server is not None:
                postgres.stop(server)
