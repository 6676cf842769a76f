"""The conductor: leases queued runs, drives each batch on a cluster, ends what others left behind.

`python -m cid_server_ext.runners.conductor` reads CID_DATABASE, CID_URL, and CID_GATEWAY with
CID_GATEWAY_PROXY and JUPYTERHUB_API_TOKEN; without a gateway it uses processes of this machine.
CID_CLUSTERS names clusters that another package brings (entry points `cid.clusters`).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from .. import plugins, scrub
from ..core.queue import beats, claims, leases
from ..core.queue.claims import Claim
from ..db.session import open_database, reading
from ..errors import BadInput, CidError
from . import endings, names
from .bell import Bell
from .clusters import Clusters
from .drive import Drive
from .means import Means
from .orphans import Orphans

log = logging.getLogger("cid.conductor")

LEASE_SECONDS = 60.0
BATCHES = 4  # clusters at a time
UNREACHABLE_SECONDS = 5.0
ABANDONED_SECONDS = 5.0  # between two looks for runs that nobody drives
CLOSE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, read once."""

    database: str
    url: str
    gateway: str | None = None
    gateway_proxy: str = ""
    token: str = field(default="", repr=False)
    clusters_of: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Settings:
        """Return the settings, or raise BadInput naming the variable that is missing."""
        for name in ("CID_DATABASE", "CID_URL"):
            if not environ.get(name):
                raise BadInput(f"{name} is not set: the conductor needs it")
        gateway = environ.get("CID_GATEWAY") or None
        if gateway and not environ.get("JUPYTERHUB_API_TOKEN"):
            raise BadInput("JUPYTERHUB_API_TOKEN is not set: the gateway asks for it")
        return cls(
            database=environ["CID_DATABASE"],
            url=environ["CID_URL"],
            gateway=gateway,
            gateway_proxy=environ.get("CID_GATEWAY_PROXY", ""),
            token=environ.get("JUPYTERHUB_API_TOKEN", ""),
            clusters_of=environ.get("CID_CLUSTERS", ""),
        )

    def clusters(self) -> Clusters:
        """Return where clusters come from; BadInput when nobody brings those that were named."""
        if self.clusters_of:
            made: Clusters = plugins.chosen("cid.clusters", self.clusters_of)()
            return made
        if self.gateway is None:
            from .local import LocalClusters

            return LocalClusters()
        from .gateway import GatewayClusters

        return GatewayClusters.of_hub(self.gateway, self.gateway_proxy, self.token)


class Conductor:
    """Claims batches and drives each in a thread, at most `batches` at a time."""

    def __init__(
        self, means: Means, *, lease: float = LEASE_SECONDS, batches: int = BATCHES
    ) -> None:
        self._means = means
        self._lease = lease
        self._batches = batches
        self._drives: dict[Drive, threading.Thread] = {}
        self._stopping = threading.Event()
        self._orphans = Orphans(means.sessions, means.clusters)
        self._bell = Bell(means.sessions, means.poll)
        self._not_before = 0.0
        self._renew_at = 0.0
        self._abandoned_at = 0.0
        self._duties_at = 0.0
        self._unsaid_since: float | None = None  # the gateway is silent while runs are left behind

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()
        self._bell.ring()

    def run(self) -> None:
        """Work until `stop`; then leave what runs to another, give back the rest, and return."""
        log.info("conducting as %s", self._means.conductor)
        while not self._stopping.is_set():
            self._bell.wait()
            try:
                if not self._stopping.is_set():
                    self.step()
            except DBAPIError as error:
                log.warning("the database does not answer: %s", error.orig)
            except Exception:  # whatever it was, the runs under way still need their leases
                log.exception("conducting goes on")
        self._end()

    def step(self) -> None:
        """Look once: renew, end what was abandoned, take what may start."""
        now = time.monotonic()
        for drive in [drive for drive, thread in self._drives.items() if not thread.is_alive()]:
            del self._drives[drive]
            if drive.unreachable:
                self._not_before = now + UNREACHABLE_SECONDS
                self._orphans.soon()  # nothing is claimed before the gateway answers
        if now >= self._duties_at:
            self._duties_at = now + self._means.poll
            self._duties(now)
        if now < self._not_before:
            return
        own = {drive.cluster.name for drive in self._drives if drive.cluster is not None}
        if not self._orphans.look(own):
            self._not_before = now + UNREACHABLE_SECONDS
            return
        while self._free() and self._claim():
            pass

    def _duties(self, now: float) -> None:
        for drive in self._drives:
            if drive.unneeded() and drive.cluster is not None:
                self._stop_cluster(drive.cluster.name)
        if now >= self._renew_at:
            self._renew_at = now + self._lease / 4
            self._renew()
        if now >= self._abandoned_at:
            self._abandoned_at = now + ABANDONED_SECONDS
            self._end_abandoned()

    def _free(self) -> bool:
        return len(self._drives) < self._batches

    def _claim(self) -> bool:
        """Take the next lane and drive it; False: nothing may start."""
        with reading(self._means.sessions) as session:
            if not claims.anything(session):
                return False
        own = {drive.claim.lane for drive in self._drives}
        with self._means.sessions.begin() as session:
            claim = claims.claim(session, self._means.conductor, self._lease, besides=own)
        if claim is None:
            return False
        self._drive(claim)
        return True

    def _drive(self, claim: Claim, adopts: str | None = None) -> None:
        means, free = self._means, self._free
        drive = Drive(claim, means, self._stopping, free, self._lease, adopts=adopts)
        thread = threading.Thread(target=drive.run, name=f"batch {claim.batch}", daemon=True)
        self._drives[drive] = thread
        thread.start()

    def _renew(self) -> None:
        held = [run for drive in self._drives for run in drive.left]
        with self._means.sessions.begin() as session:
            beats.beat(session, self._means.conductor)
            if held:
                leases.renew(session, self._means.conductor, held, self._lease)

    def _end_abandoned(self) -> None:
        living = self._means.conductor
        with reading(self._means.sessions) as session:
            dead = {name for name in leases.drivers(session) if names.dead(name, living)}
            behind = leases.left_behind(session, dead) if self._means.clusters.last else set()
        if behind and not self._adopt(behind, dead):
            return
        with self._means.sessions.begin() as session:
            left = leases.abandoned(session, dead)
            live = leases.live_clusters(session)
        for abandoned in left:
            log.warning("runs %s were abandoned", ", ".join(map(str, abandoned.runs)))
            if abandoned.cluster is not None and abandoned.cluster not in live:
                self._stop_cluster(abandoned.cluster)

    def _adopt(self, clusters: set[str], dead: set[str]) -> bool:
        """Go on with clusters that nobody drives; False: the gateway may say later what runs."""
        try:
            there = set(self._means.clusters.list_mine())
        except Exception as error:
            self._unsaid_since = self._unsaid_since or time.monotonic()
            log.warning("the gateway does not say which clusters run: %s", error)
            return time.monotonic() - self._unsaid_since > self._lease
        self._unsaid_since = None
        for name in sorted(clusters - there):
            with self._means.sessions.begin() as session:
                leases.take_back(session, name)
        for name in sorted(clusters & there):
            with self._means.sessions.begin() as session:
                claim = leases.adopt(session, self._means.conductor, name, dead, self._lease)
            if claim is not None:
                self._drive(claim, adopts=name)
        return True

    def _end(self) -> None:
        self._bell.close()
        for drive in self._drives:
            try:
                drive.part()
            except Exception as error:  # the clusters are closed all the same
                log.warning("runs stay leased until their lease ends: %s", error)
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in self._drives.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        for drive, thread in self._drives.items():
            if thread.is_alive() and drive.cluster is not None and not drive.lasts():
                self._stop_cluster(drive.cluster.name)
        try:
            with self._means.sessions.begin() as session:
                beats.over(session, self._means.conductor)
        except DBAPIError as error:  # an hour later it is forgotten
            log.warning("the database does not answer: %s", error.orig)
        log.info("stopped")

    def _stop_cluster(self, name: str) -> None:
        try:
            self._means.clusters.stop(name)
        except Exception as error:
            log.warning("cluster %s could not be stopped: %s", name, error)


def main() -> int:
    """Conduct until SIGTERM or SIGINT."""
    logging.basicConfig(format="%(asctime)s %(levelname).1s %(name)s: %(message)s")
    log.setLevel(logging.INFO)
    scrub.everywhere()
    try:
        settings = Settings.of(os.environ)
        sessions = open_database(settings.database)
        means = Means(sessions, settings.clusters(), settings.url, names.own())
    except CidError as error:
        log.error("%s", error)
        return 1
    scrub.everywhere()  # Dask's loggers have come meanwhile
    conductor = Conductor(means)
    endings.told(conductor.stop)
    try:
        conductor.run()
    except Exception:  # Python itself would print it as it is
        log.critical("this is a defect", exc_info=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
