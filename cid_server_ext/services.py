"""The parts of a catalog, put together once at start and handed to every request."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .bookkeeper import Bookkeeper
from .checker import A_NIGHT, Checker
from .db.session import Sessions, open_database
from .departures import Departures, HubPeople
from .fixity import Fixity
from .ingest.abroad import Abroad
from .ingest.importer import Importer
from .ingest.limits import Limits
from .ingest.workshops import workshop
from .mail.mailer import Mailer
from .mail.server import MailServer
from .memory.migration import to_newest
from .memory.writer import Writer
from .purger import Purger
from .rates import Rates
from .revoker import Revoker
from .sealer import Sealer
from .stepper import Stepper
from .storage.gauge import MOST_FILES
from .storage.inplace import Roots
from .storage.plane import DataPlane
from .storage.roots import Folder
from .storage.seals import Keys, opened
from .storage.tickets import Signer
from .subscriber import Subscriber


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

    `queued` is called when runs were queued; a laptop then wakes its conductor.
    """

    settings: Settings
    sessions: Sessions
    data: DataPlane
    importer: Importer
    revoker: Revoker
    departures: Departures
    writer: Writer
    bookkeeper: Bookkeeper
    purger: Purger
    checker: Checker
    fixity: Fixity
    subscriber: Subscriber
    stepper: Stepper
    mailer: Mailer
    sealer: Sealer
    keys: Keys
    rates: Rates
    prefix: str
    queued: Callable[[], None]

    def close(self) -> None:
        """Stop background work and let go of the database."""
        self.importer.close()
        self.subscriber.close()
        self.stepper.close()
        self.mailer.close()
        self.sealer.close()
        self.revoker.close()
        self.departures.close()
        self.writer.close()
        self.bookkeeper.close()
        self.purger.close()
        self.checker.close()
        self.fixity.close()
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
    revoker = Revoker(sessions, data.revoked).start()
    departures = Departures(HubPeople(settings.hub, settings.hub_token), data.revoked)
    if settings.hub:
        departures.start()
    rates = Rates(settings.rate, settings.burst)
    writer = Writer(sessions, settings.storage).start()
    books = Bookkeeper(sessions, data.root).start()
    purger = Purger(sessions, data.root).start()
    return Services(
        settings,
        sessions,
        data,
        importer,
        revoker,
        departures,
        writer,
        books,
        purger,
        Checker(sessions, data.root, settings.check_bytes).start(),
        Fixity(sessions, data.root, settings.roots).start(),
        Subscriber(sessions, queued).start(),
        Stepper(sessions, queued).start(),
        Mailer(sessions, settings.mail).start(),
        Sealer(sessions, keys).start(),
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
