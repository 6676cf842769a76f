"""The parts of a catalog, put together once at start and handed to every request."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .bookkeeper import Bookkeeper
from .db.session import Sessions, open_database
from .ingest.importer import Importer
from .memory.migration import to_newest
from .memory.writer import Writer
from .purger import Purger
from .rates import Rates
from .revoker import Revoker
from .storage.plane import DataPlane
from .storage.roots import Folder
from .storage.tickets import Signer


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a catalog keeps things. `embedded`: one trusted user, migrations run by themselves.

    One person may send `rate` requests a second to a process, and `burst` at once. A search ends
    after `search_seconds`.
    """

    database: str
    storage: Path
    signing_key_file: Path
    embedded: bool = False
    rate: float = 50
    burst: int = 200
    search_seconds: float = 5


@dataclass(frozen=True, slots=True)
class Services:
    """What a request may need. `prefix` is the URL path of the catalog, ending in a slash.

    `queued` is called when runs were queued; a laptop then wakes its conductor.
    """

    settings: Settings
    sessions: Sessions
    data: DataPlane
    importer: Importer
    revoker: Revoker
    writer: Writer
    bookkeeper: Bookkeeper
    purger: Purger
    rates: Rates
    prefix: str
    queued: Callable[[], None]

    def close(self) -> None:
        """Stop background work and let go of the database."""
        self.importer.close()
        self.revoker.close()
        self.writer.close()
        self.bookkeeper.close()
        self.purger.close()
        self.sessions.kw["bind"].dispose()


def build(settings: Settings, prefix: str, queued: Callable[[], None] = lambda: None) -> Services:
    """Open database and storage. Raises Unavailable when the schema is not this release's."""
    settings.storage.mkdir(parents=True, exist_ok=True)
    if settings.embedded:
        to_newest(settings.database)
    sessions = open_database(settings.database)
    data = DataPlane(Folder(settings.storage), Signer((signing_key(settings.signing_key_file),)))
    importer, revoker = Importer(sessions, data.root), Revoker(sessions, data.revoked).start()
    rates = Rates(settings.rate, settings.burst)
    writer = Writer(sessions, settings.storage).start()
    books, purger = Bookkeeper(sessions).start(), Purger(sessions, data.root).start()
    return Services(
        settings, sessions, data, importer, revoker, writer, books, purger, rates, prefix, queued
    )


def signing_key(path: Path) -> bytes:
    """Return the key in `path`, made at the first start, readable by its owner only."""
    if not path.exists():
        made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        with suppress(FileExistsError):  # a second process may start at the same moment
            os.link(made, path)
        made.unlink()
    return path.read_bytes()
