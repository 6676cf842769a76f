"""The Jupyter Server extension: traits read once, services built, routes added.

Its home decides what it is: `service` (a hub service, the only one that decides), `laptop` (an
embedded catalog for one trusted user) or `pointer` (in a hub user's own server: it only says where
the service is).
"""

from __future__ import annotations

import gc
import logging
import os
from pathlib import Path
from urllib.parse import urlparse

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from tornado.ioloop import PeriodicCallback
from traitlets import Enum, Float, Int, List, Unicode, default

from . import scrub
from .pointer import pointer_routes

SWEEP = 60_000  # milliseconds between two looks for deposits that nobody will finish


class CidApp(ExtensionApp):
    """CID for Jupyter."""

    name = "cid_server_ext"
    load_other_extensions = True

    home = Enum(["service", "laptop", "pointer"], help="What this process is.").tag(config=True)
    database = Unicode(help="SQLAlchemy URL of the catalog's database.").tag(config=True)
    storage = Unicode(help="Folder of images, files and staging.").tag(config=True)
    signing_key_file = Unicode(help="Key of the tickets; made when absent.").tag(config=True)
    seal_keys = Unicode(help="Folder of the keys that sign what runs were.").tag(config=True)
    rate = Float(help="Requests a second that one person may send for long.").tag(config=True)
    burst = Int(help="Requests that one person may send at once.").tag(config=True)
    search_seconds = Float(help="Seconds that one search may take.").tag(config=True)
    check_bytes = Int(help="Bytes that are read again each night; 0: none.").tag(config=True)
    deposit_files = Int(help="Files and folders of one deposit.").tag(config=True)
    import_memory = Int(help="Bytes of memory for reading one foreign file.").tag(config=True)
    import_seconds = Float(help="Seconds that importing one file may take.").tag(config=True)
    import_cpu_seconds = Int(help="Seconds of computing for one file.").tag(config=True)
    import_formats = List(Unicode(), help="Readers that may be used; none: all.").tag(config=True)
    import_cluster = Unicode(
        help="Where imports run: local, children, gateway:http://…, tcp://host:port or tls://…"
    ).tag(config=True)
    import_workers = Int(help="Machines of a cluster that import at once.").tag(config=True)
    import_cluster_root = Unicode(help="The storage, as those machines see it.").tag(config=True)
    adopt_roots = Unicode(help="Trees of old data: name=/folder:name=/folder.").tag(config=True)
    mail = Unicode(help="Mail server: smtp+starttls://user@host:587?from=...").tag(config=True)
    service_url = Unicode(help="Where the service is, for the pointer.").tag(config=True)

    @default("home")
    def _home(self) -> str:
        if os.environ.get("JUPYTERHUB_USER"):
            return "pointer"
        return "service" if os.environ.get("CID_STORAGE") else "laptop"

    @default("storage")
    def _storage(self) -> str:
        return os.environ.get("CID_STORAGE") or f"{jupyter_data_dir()}/cid/storage"

    @default("database")
    def _database(self) -> str:
        kept = f"sqlite:///{Path(self.storage).parent}/catalog.sqlite"
        return os.environ.get("CID_DATABASE") or kept

    @default("signing_key_file")
    def _signing_key_file(self) -> str:
        kept = f"{Path(self.storage).parent}/signing.key"
        return os.environ.get("CID_SIGNING_KEY_FILE") or kept

    @default("seal_keys")
    def _seal_keys(self) -> str:
        kept = f"{Path(self.storage).parent}/seal-keys"
        return os.environ.get("CID_SEAL_KEYS") or kept

    @default("rate")
    def _rate(self) -> float:
        return float(os.environ.get("CID_RATE", "50"))

    @default("burst")
    def _burst(self) -> int:
        return int(os.environ.get("CID_BURST", "200"))

    @default("search_seconds")
    def _search_seconds(self) -> float:
        return float(os.environ.get("CID_SEARCH_SECONDS", "5"))

    @default("check_bytes")
    def _check_bytes(self) -> int:
        return int(os.environ.get("CID_CHECK_BYTES", str(10**12)))

    @default("deposit_files")
    def _deposit_files(self) -> int:
        return int(os.environ.get("CID_DEPOSIT_FILES", "200000"))

    @default("import_memory")
    def _import_memory(self) -> int:
        return int(os.environ.get("CID_IMPORT_MEMORY", str(4 << 30)))

    @default("import_seconds")
    def _import_seconds(self) -> float:
        return float(os.environ.get("CID_IMPORT_SECONDS", "14400"))

    @default("import_cpu_seconds")
    def _import_cpu_seconds(self) -> int:
        return int(os.environ.get("CID_IMPORT_CPU_SECONDS", "14400"))

    @default("import_formats")
    def _import_formats(self) -> list[str]:
        named = os.environ.get("CID_IMPORT_FORMATS", "").split(",")
        return [name.strip() for name in named if name.strip()]

    @default("import_cluster")
    def _import_cluster(self) -> str:
        return os.environ.get("CID_IMPORT_CLUSTER") or "local"

    @default("import_workers")
    def _import_workers(self) -> int:
        return int(os.environ.get("CID_IMPORT_WORKERS", "4"))

    @default("import_cluster_root")
    def _import_cluster_root(self) -> str:
        return os.environ.get("CID_IMPORT_CLUSTER_ROOT", "")

    @default("adopt_roots")
    def _adopt_roots(self) -> str:
        return os.environ.get("CID_ADOPT_ROOTS", "")

    @default("mail")
    def _mail(self) -> str:
        return os.environ.get("CID_MAIL", "")

    @default("service_url")
    def _service_url(self) -> str:
        return os.environ.get("CID_URL", "/services/cid/")

    def initialize_handlers(self) -> None:
        """Add the routes of this home."""
        if self.home == "pointer":
            self.handlers += pointer_routes(urlparse(self.service_url).path)
            return
        if self.home == "service":  # a laptop's log tells its only user the token to log in with
            scrub.install((self.log, self.serverapp.log, logging.getLogger("tornado")))
        # imported here, so that a pointer in 250 users' servers loads neither database nor imaging
        from . import services
        from .handlers.routes import routes
        from .ingest.limits import Limits
        from .laptop import LaptopConductor, show_to_kernels
        from .mail.server import MailServer
        from .storage.inplace import Roots

        base = "/" if self.home == "service" else "/cid/"
        prefix = self.serverapp.base_url.rstrip("/") + base
        settings = services.Settings(
            database=self.database,
            storage=Path(self.storage).resolve(),
            signing_key_file=Path(self.signing_key_file),
            seal_keys=Path(self.seal_keys),
            embedded=self.home == "laptop",
            rate=self.rate,
            burst=self.burst,
            search_seconds=self.search_seconds,
            check_bytes=self.check_bytes,
            deposit_files=self.deposit_files,
            limits=Limits(
                memory=self.import_memory,
                cpu_seconds=self.import_cpu_seconds,
                wall_seconds=self.import_seconds,
                formats=tuple(self.import_formats),
            ),
            cluster=self.import_cluster,
            cluster_workers=self.import_workers,
            cluster_root=self.import_cluster_root,
            roots=Roots.read(self.adopt_roots),
            mail=MailServer.read(self.mail),
            hub=(self.home == "service" and os.environ.get("JUPYTERHUB_API_URL")) or "",
            hub_token=os.environ.get("JUPYTERHUB_API_TOKEN", ""),
        )

        def url() -> str:  # of this server, once it listens
            return f"http://127.0.0.1:{self.serverapp.port}{prefix}"

        self.conductor = LaptopConductor(settings, url)
        # a service's conductor is started by the hub
        queued = self.conductor.wake if settings.embedded else lambda: None
        self.built = services.build(settings, prefix, queued)
        self.serverapp.web_app.settings.update(cid=self.built, cid_data=self.built.data)
        self.handlers += routes(base)
        self.built.importer.resume()
        self.built.importer.sweep_soon()
        PeriodicCallback(self.built.importer.sweep_soon, SWEEP).start()
        if self.home == "laptop":
            self.log.warning("CID: an embedded catalog for one trusted user, in %s", self.storage)
            token = self.serverapp.identity_provider.token
            self.serverapp.io_loop.add_callback(lambda: show_to_kernels(url(), token))
        # what is here now stays: a collection that looks at all of it holds requests up for 0.2 s
        gc.collect()
        gc.freeze()

    async def stop_extension(self) -> None:
        """Stop background work; imports under way go on at the next start."""
        if hasattr(self, "built"):
            self.conductor.close()
            self.built.close()
