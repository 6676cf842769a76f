"""The parts of a catalog, put together once at start and handed to every request."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .background.bookkeeper import Bookkeeper
from .background.checker import A_NIGHT, Checker
from .background.departures import Departures, HubPeople
from .background.fixity import Fixity
from .background.purger import Purger
from .background.revoker import Revoker
from .background.rounds import Rounds, close
from .background.sealer import Sealer
from .background.stepper import Stepper
from .background.subscriber import Subscriber
from .db.session import Sessions, open_database
from .ingest.abroad import Abroad
from .ingest.importer import Importer
from .ingest.limits import Limits
from .ingest.workshops import workshop
from .mail.mailer import Mailer
from .mail.server import MailServer
from .memory.migration import to_newest
from .memory.writer import Writer
from .rates import Rates
from .storage.gauge import MOST_FILES
from .storage.inplace import Roots
from .storage.plane import DataPlane
from .storage.roots import Folder
from .storage.seals import Keys, opened
from .storage.tickets import Signer


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a catalog keeps things. `embedded`: one trusted user, migrations run by themselves.

    One person may send `rate` requests a second to a process, and `burst` at once. A search ends
    after `search_seconds`. Each night `check_bytes` are read again. A deposit holds at most
    `deposit_files`. `limits` bind whoever opens a foreign file, on `cluster` (see
    `ingest.workshops`). `hub` is the address of the hub's API, for which `hub_token` is. `roots`
    may be adopted in place. `mail` is where notices go out.
    """

    database: str
    storage: Path
    signing_key_file: Path
    seal_keys: Path
    embedded: bool = False
    rate: float = 50
    burst: int = 200
    search_seconds: float = 5
    check_bytes: int = A_NIGHT
    deposit_files: int = MOST_FILES
    limits: Limits = field(default_factory=Limits)
    cluster: str = "local"
    cluster_workers: int = 4
    cluster_root: str = ""
    roots: Roots = field(default_factory=Roots)
    hub: str = ""
    hub_token: str = field(default="", repr=False)
    mail: MailServer = field(default_factory=MailServer)


@dataclass(frozen=True, slots=True)
class Services:
    """What a request may need. `prefix` is the URL path of the catalog, ending in a slash.

    `queued` is called when runs were queued; a laptop then wakes its conductor. `background` is
    closed in its order.
    """

    settings: Settings
    sessions: Sessions
    data: DataPlane
    importer: Importer
    purger: Purger
    background: tuple[Rounds, ...]
    keys: Keys
    rates: Rates
    prefix: str
    queued: Callable[[], None]

    def close(self) -> None:
        """Stop background work and let go of the database."""
        self.importer.close()
        close(self.background)
        self.sessions.kw["bind"].dispose()


def build(settings: Settings, prefix: str, queued: Callable[[], None] = lambda: None) -> Services:
    """Open database and storage. Raises Unavailable when the schema is not this release's."""
    settings.storage.mkdir(parents=True, exist_ok=True)
    if settings.embedded:
        to_newest(settings.database)
    sessions = open_database(settings.database)
    settings.roots.refuse_within(settings.storage)
    signer = Signer((signing_key(settings.signing_key_file),))
    maker = Abroad(settings.limits)
    folder, most = Folder(settings.storage), settings.deposit_files
    data = DataPlane(folder, signer, settings.roots, maker, most)
    importing = workshop(
        settings.cluster,
        root=settings.storage,
        there=settings.cluster_root,
        workers=settings.cluster_workers,
        memory=settings.limits.memory,
    )
    keys = opened(settings.seal_keys)
    importer = Importer(sessions, data.root, settings.limits, workshop=importing, signer=keys)
    purger = Purger(sessions, data.root)
    background: list[Rounds] = [
        Revoker(sessions, data.revoked),
        Subscriber(sessions, queued),
        Stepper(sessions, queued),
        Mailer(sessions, settings.mail),
        Sealer(sessions, keys),
        Bookkeeper(sessions, data.root),
        purger,
        Checker(sessions, data.root, settings.check_bytes),
        Fixity(sessions, data.root, settings.roots),
        Writer(sessions, settings.storage),  # the last one: it writes what the others did
    ]
    if settings.hub:
        people = HubPeople(settings.hub, settings.hub_token)
        background.insert(0, Departures(people, data.revoked))
    for one in background:
        one.start()
    rates = Rates(settings.rate, settings.burst)
    return Services(
        settings,
        sessions,
        data,
        importer,
        purger,
        tuple(background),
        keys,
        rates,
        prefix,
        queued,
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
