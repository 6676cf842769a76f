"""The parts of a catalog, put together once at start and handed to every request."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .db.session import Sessions, migrate, open_database
from .ingest.importer import Importer
from .storage.plane import DataPlane
from .storage.roots import Folder
from .storage.tickets import Signer


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a catalog keeps things. `embedded`: one trusted user, migrations run by themselves."""

    database: str
    storage: Path
    signing_key_file: Path
    embedded: bool = False


@dataclass(frozen=True, slots=True)
class Services:
    """What a request may need. `prefix` is the URL path of the catalog, ending in a slash.

    `queued` is called when runs were queued; a laptop then wakes its conductor.
    """

    settings: Settings
    sessions: Sessions
    data: DataPlane
    importer: Importer
    prefix: str
    queued: Callable[[], None]

    def close(self) -> None:
        """Stop background work and let go of the database."""
        self.importer.close()
        self.sessions.kw["bind"].dispose()


def build(settings: Settings, prefix: str, queued: Callable[[], None] = lambda: None) -> Services:
    """Open database and storage. Raises Unavailable when the schema is not this release's."""
    settings.storage.mkdir(parents=True, exist_ok=True)
    if settings.embedded:
        migrate(settings.database)
    sessions = open_database(settings.database)
    data = DataPlane(Folder(settings.storage), Signer((signing_key(settings.signing_key_file),)))
    return Services(settings, sessions, data, Importer(sessions, data.root), prefix, queued)


def signing_key(path: Path) -> bytes:
    """Return the key in `path`, made at the first start, readable by its owner only."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    key = secrets.token_bytes(32)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    return key
