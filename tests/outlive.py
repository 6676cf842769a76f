"""A facility without its hub whose parts are killed: catalog, gateway, conductors, their clusters.

What a supervisor would start again is started again. `wrong` says what is not as it must be in the
end: every image exactly once, and nothing left over.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import acknowledged
import gateways
import numpy as np
import postgres
import psutil
import tifffile
from books import book
from dask_gateway.auth import BasicAuth
from forks import Phoenix
from gateways import processes_of
from processes import STAFF, Service, deposit, stop, wait_until
from sqlalchemy import select

from cid_server_ext.core.queue.leases import ATTEMPTS, UNBEGUN
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database
from cid_server_ext.runners.gateway import GatewayClusters
from cid_server_ext.runners.tokens import token_for
from hub_config.gateway import CONDUCTOR
from hub_config.site import Site

TARGETS = ("kernel", "worker", "scheduler", "conductor", "catalog", "gateway")
ENDED = ("done", "failed", "cancelled")
GIVEN_UP = ("WorkerDied", "ClusterLost", "Abandoned", "Unavailable")  # lost thrice, and told so
GONE_SECONDS = 60.0  # after the end of a batch nothing of it runs
TEMPLATE = "outlive"
KERNEL = "worker.nursery"  # of whose process a forked kernel is the copy
OF = "run"  # in its folder, a kernel's word of which run it is
WAIT = """
import os, pathlib, time
pathlib.Path("run").write_text(os.environ["CID_RUN"])
time.sleep(n / 1000)
while pathlib.Path({hold!r}).exists():
    time.sleep(0.05)
"""
WRITE = """
import cid_client
run = cid_client.current_run()
things = (run.input.to_xarray().values > 100).astype("uint32")
run.outputs.labels("things", things, source=run.input)
run.outputs.metric("things", 1)
"""


@dataclass
class Facility:
    """Each part a process of its own; `kill` is SIGKILL and, after it, a new start."""

    folder: Path
    site: Site
    catalog: Phoenix
    service: Service
    sessions: Sessions
    database: str
    gateway: subprocess.Popen[bytes]
    conductors: list[subprocess.Popen[bytes]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)  # run keys that were seen
    server: postgres.Postgres | None = None  # of the database, where it is one of its own

    @property
    def hold(self) -> Path:
        """While this file is there, every notebook waits in its second cell."""
        return self.folder / "hold"

    def start_conductor(self) -> None:
        """Start one more conductor, as the hub does."""
        environment = {
            "PATH": os.environ["PATH"],
            "CID_DATABASE": self.database,
            "CID_URL": self.catalog.url,
            "CID_GATEWAY": gateways.address(self.site),
            "CID_GATEWAY_PROXY": self.site.gateway_proxy,
            "JUPYTERHUB_API_TOKEN": "password",
        }
        with (self.folder / "conductors.log").open("ab") as log:
            command = [sys.executable, "-m", "cid_server_ext.runners.conductor"]
            process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self.conductors.append(process)

    def submit(self, images: int, milliseconds: int = 0) -> str:
        """Bring so many images in, submit a template on them and return the batch."""
        uids = []
        for number in range(images):
            path = self.folder / f"cell {number}.tif"
            pixels = np.zeros((32, 32), np.uint8)
            pixels[8:16, number % 8 : 24] = 200
            tifffile.imwrite(path, pixels)
            uids += deposit(self.service, "researcher", "night", path)["images"]
        manifest = {
            "template": {"name": TEMPLATE, "version": "1.0.0", "title": "Outlive"},
            "parameters": {"n": {"type": "integer", "default": 0}},
            "outputs": {"labels": ["things"]},
            "resources": {"wall_seconds": 300, "workers": 2},
        }
        notebook = book(WAIT.format(hold=str(self.hold)), WRITE, parameters="n = 0")
        published = {"manifest": manifest, "notebook": notebook}
        made = self.service.ask("POST", "templates", STAFF, json=published)
        assert made.status_code == 201, made.text
        body = {"template": TEMPLATE, "images": uids, "parameters": {"n": milliseconds}}
        submitted = self.service.ask("POST", "runs", "researcher", json=body)
        assert submitted.status_code == 201, submitted.text
        return str(submitted.json()["batch"])

    def runs(self, batch: str) -> list[t.Run]:
        """Return the batch's runs as the database has them now."""
        with self.sessions() as session:
            found = session.scalars(select(t.Run).where(t.Run.batch == batch).order_by(t.Run.id))
            return list(found)

    def kernels(self) -> dict[str, psutil.Process]:
        """Return the kernels that execute, by their run's uid."""
        found = {}
        for process in processes_of(self.site, KERNEL):
            with contextlib.suppress(psutil.Error, FileNotFoundError):
                found[Path(process.cwd(), OF).read_text()] = process
        return found

    def look(self) -> None:
        """Remember the run keys that workers hold now: they must open nothing in the end."""
        for process in processes_of(self.site, "spawn_main"):
            with contextlib.suppress(psutil.Error, KeyError):
                self.keys.add(process.environ()["CID_RUN_KEY"])

    def kill(self, target: str) -> str | None:
        """Kill one of TARGETS and start again what a supervisor would; return the run it struck.

        Only a kernel's or worker's run is known. Raises LookupError where there is none to kill.
        """
        self.look()
        return getattr(self, f"_kill_{target}")()  # type: ignore[no-any-return]

    def _kill_kernel(self) -> str:
        uid, kernel = self._some_kernel()
        kernel.kill()
        return uid

    def _kill_worker(self) -> str:
        uid, kernel = self._some_kernel()
        kernel.parent().parent().kill()
        return uid

    def _kill_scheduler(self) -> None:
        found = processes_of(self.site, "dask scheduler")
        if not found:
            raise LookupError("no scheduler runs")
        found[0].kill()

    def _kill_conductor(self) -> None:
        """Kill the one that drives runs, if one does."""
        with self.sessions() as session:
            leased = select(t.Run.lease_by).where(t.Run.lease_by.is_not(None)).order_by(t.Run.id)
            name = session.scalar(leased.limit(1)) or ""
        driving = [one for one in self.conductors if f"-{one.pid}-" in name]
        victim = (driving or self.conductors)[0]
        victim.kill()
        victim.wait()
        self.conductors.remove(victim)
        self.start_conductor()

    def _kill_catalog(self) -> None:
        self.catalog.die()
        self.catalog.rise()

    def _kill_gateway(self) -> None:
        os.kill(self.gateway.pid, signal.SIGKILL)
        self.gateway.wait()
        self.gateway = gateways.launched(self.site)

    def _kill_database(self) -> None:
        assert self.server is not None
        postgres.kill(self.server)
        postgres.launch(self.server)

    def _some_kernel(self) -> tuple[str, psutil.Process]:
        for uid, kernel in sorted(self.kernels().items()):
            with contextlib.suppress(psutil.Error):
                worker = kernel.parent() and kernel.parent().parent()
                if uid and worker and "spawn_main" in " ".join(worker.cmdline()):
                    return uid, kernel
        raise LookupError("no kernel runs")

    def ended(self, batch: str) -> bool:
        """Return whether every run has come to its end."""
        return all(run.state in ENDED for run in self.runs(batch))

    def wrong(self, batch: str, struck: set[str]) -> list[str]:
        """Return what is not right once the batch has ended; only runs of `struck` may fail."""
        found = self.left()
        found += [sentence for run in self.runs(batch) for sentence in self._of_run(run, struck)]
        acknowledged.sums(self.sessions)
        with self.sessions() as session:
            reserved = sum(session.scalars(select(t.Allocation.reserved)))
        return found + ([f"{reserved} bytes are still reserved"] if reserved else [])

    def left(self) -> list[str]:
        """Return what is still left over GONE_SECONDS after the end; at once where nothing is."""
        clusters = self._clusters()
        try:
            return list(self._left(clusters))
        finally:
            clusters.close()

    def _of_run(self, run: t.Run, struck: set[str]) -> Iterator[str]:
        about = f"run {run.uid} ({run.state}, attempt {run.attempt}, {run.error})"
        with self.sessions() as session:
            images = session.scalars(select(t.Image).where(t.Image.run_id == run.id)).all()
            files = session.scalars(select(t.File).where(t.File.run_id == run.id)).all()
            notebooks = [file for file in files if file.kind == "notebook"]
        error = run.error or {}
        strikes = error.get("history") or []
        thrice = sum(strike["own"] for strike in strikes) == ATTEMPTS or len(strikes) == UNBEGUN
        given_up = thrice and error.get("error") in GIVEN_UP
        if run.state != "done" and not (run.state == "failed" and (run.uid in struck or given_up)):
            yield f"{about} ended wrongly"
        if len(images) != (run.state == "done"):
            yield f"{about} wrote {len(images)} images"
        if len(notebooks) != 1 and not given_up:
            yield f"{about} has {len(notebooks)} notebooks"
        if run.state == "failed" and not given_up and not error.get("cell"):
            yield f"{about} names no cell"
        if run.token_hash is not None or run.lease_by is not None:
            yield f"{about} still has a token or a lease"
        for key, attempt in product(self.keys, range(1, run.attempt + 1)):
            caller = f"run:{token_for(key, run.uid, attempt)}"
            for verb, path in (("GET", "work"), ("POST", "progress"), ("POST", "deposits")):
                body = {"files": []} if path == "deposits" else {}
                more = {"json": body} if verb == "POST" else {}
                answer = self.service.ask(verb, f"runs/{run.uid}/{path}", caller, **more)
                if answer.status_code not in (401, 403, 404):
                    yield f"{about}: an old token got {answer.status_code} at {path}"

    def _left(self, clusters: GatewayClusters) -> Iterator[str]:
        folders = self.site.run / "clusters"
        left = {
            "clusters": clusters.list_mine,
            "processes": lambda: processes_of(self.site, ""),
            "folders of clusters": lambda: [p for p in folders.glob("*") if p.name != "home"],
            "scratch": lambda: list(folders.rglob("cid-run-*")),
            "staged folders": self.service.staged,
        }
        for what, look in left.items():
            try:
                wait_until(lambda look=look: not look(), GONE_SECONDS, what)
            except AssertionError:
                yield f"{what} left after {GONE_SECONDS:g} s: {look()}"

    def _clusters(self) -> GatewayClusters:
        auth = BasicAuth(CONDUCTOR, "password")
        return GatewayClusters(gateways.address(self.site), self.site.gateway_proxy, auth)


@contextlib.contextmanager
def facility_in(
    folder: Path, database: str, conductors: int = 2, server: postgres.Postgres | None = None
) -> Iterator[Facility]:
    """Run a facility with a project `night`; `database` is the URL of an empty catalog."""
    with contextlib.ExitStack() as ends:
        catalog = Phoenix(folder, CID_DATABASE=database)
        ends.callback(catalog.close)
        service = catalog.service
        sessions = open_database(database)
        ends.callback(sessions.kw["bind"].dispose)
        site = gateways.site_in(folder / "site")
        gateway = gateways.launched(site)
        made = Facility(folder, site, catalog, service, sessions, database, gateway)
        made.server = server
        ends.callback(lambda: stop(made.gateway))
        ends.callback(lambda: [stop(one) for one in made.conductors])
        project = {"team": "lab", "name": "night", "title": "Night", "limit": 10**9}
        project |= {"members": {"researcher": "contributor"}}
        answer = service.ask("POST", "projects", STAFF, json=project)
        assert answer.status_code == 201, answer.text
        for _ in range(conductors):
            made.start_conductor()
        yield made
