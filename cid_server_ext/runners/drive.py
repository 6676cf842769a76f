"""Drives a lane's runs on one cluster, from its opening to its end; more of them as it is fair."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy.exc import DBAPIError

from ..core.queue import claims, leases
from ..core.queue.claims import Claim, Leased
from ..db.session import reading
from ..errors import BadInput, Unavailable
from . import inside, names, tokens, versions
from .clusters import Cluster, Lost, Task
from .inside import LOST
from .means import Means
from .versions import EnvironmentDiffers
from .watch import REVOKED

log = logging.getLogger("cid.conductor")

TIDY_SECONDS = 10.0  # for the task of a run that has ended, to remove its scratch
CANCEL_SECONDS = 45.0  # a running run that was asked to stop has this long to do so itself
WORKER_SECONDS = 600.0  # a machine may have to be started for the first worker
CLOSE_TRIES = (0.0, 2.0, 8.0)


class Drive:
    """The runs of one claim. `run` executes in a thread of its own."""

    def __init__(
        self,
        claim: Claim,
        means: Means,
        stopping: threading.Event,
        free: Callable[[], bool] = lambda: False,
        lease: float = claims.SECONDS,
        *,
        adopts: str | None = None,
    ) -> None:
        """`adopts` names the cluster on which the runs are already."""
        self.claim = claim
        self._adopts = adopts
        self.unreachable = False  # the gateway did not answer: claim nothing for a while
        self.cluster: Cluster | None = None
        self._coming = False  # the cluster is on its way
        self._came = False  # it had a worker
        self._means = means
        self._stopping = stopping
        self._free, self._lease = free, lease
        self._key = tokens.new_key()
        self._workers = min(claim.workers, len(claim.runs))
        self._pace = 0  # how many ended since the last look
        self._left = {run.id: run for run in claim.runs}
        self._tasks: dict[int, Task] = {}
        self._since: dict[tuple[int, str], float] = {}

    @property
    def left(self) -> list[int]:
        """The runs that have not come to their end here, as a list that no other thread changes."""
        return list(self._left)

    def unneeded(self) -> bool:
        """Honour a cancel while the cluster is still on its way; tell if no run is left for it."""
        if not self._coming:
            return False
        with self._means.sessions.begin() as session:
            for run_id, state in leases.wanted_cancelled(session, self._means.conductor).items():
                if run_id in self._left:
                    leases.cancel(session, self._means.conductor, run_id, state)
            left = self.left
            nothing = leases.ended(session, left) == set(left)
        return nothing and self._coming  # else it is being closed already

    def run(self) -> None:
        """Open the cluster, see every run to its end, close the cluster: always."""
        try:
            if self._adopts is None:
                self._open()
            elif not self._adopt(self._adopts):
                return self.give_back()
            self._watch()
        except Lost as error:
            self._try_again("ClusterLost", error, own=not self._came)
        except Unavailable as error:
            self.unreachable = True
            log.warning("%s; the runs wait", error)
            self.give_back()
        except (BadInput, EnvironmentDiffers) as error:
            self._end_all({"error": type(error).__name__, "message": str(error)})
        except Exception as error:
            log.exception("batch %s", self.claim.batch)
            self._try_again("ConductorError", error, own=True)
        finally:
            self._close()

    def part(self) -> None:
        """Leave what runs for another conductor, if the cluster lasts; return the rest."""
        if self.lasts():
            with self._means.sessions.begin() as session:
                leases.hand_over(session, self._means.conductor, list(self._tasks))
        self.give_back()

    def lasts(self) -> bool:
        """Say whether something runs that goes on without us."""
        return self._means.clusters.last and self._came and bool(self._tasks)

    def give_back(self) -> None:
        """Return what is left to the queue. Its tokens end, so nothing of it can be committed."""
        with self._means.sessions.begin() as session:
            leases.release(session, self._means.conductor, self.left)

    def _open(self) -> None:
        environment = {"CID_URL": self._means.url, "CID_RUN_KEY": self._key}
        resources = self.claim.resources
        self.cluster = cluster = self._means.clusters.open(environment, self._workers, resources)
        self._attach(cluster.name, self.claim.runs)
        log.info("batch %s: %d runs on cluster %s", self.claim.batch, len(self._left), cluster.name)
        self._coming = True
        try:
            cluster.wait()
        finally:
            self._coming = False
        versions.require("scheduler", cluster.versions(), versions.mine())
        self._submit(cluster)

    def _adopt(self, name: str) -> bool:
        """Go on with a cluster that another opened; False: it is gone."""
        self.cluster = cluster = self._means.clusters.adopt(name)
        try:
            cluster.wait()
        except Lost as error:
            log.warning("cluster %s is not there to be adopted: %s", name, error)
            return False
        log.info("%d runs on cluster %s go on", len(self._left), name)
        keys = {run.id: names.task(run) for run in self._left.values()}
        self._tasks = {run_id: cluster.found(key) for run_id, key in keys.items()}
        return True

    def _attach(self, cluster: str, runs: Iterable[Leased]) -> None:
        hashes = {
            run.id: tokens.hash_token(tokens.token_for(self._key, run.uid, run.attempt))
            for run in runs
        }
        with self._means.sessions.begin() as session:
            held = leases.attach(session, self._means.conductor, cluster, hashes)
        for run_id in hashes.keys() - held:  # cancelled, or another's by now
            log.info("run %d is no longer leased to %s", run_id, self._means.conductor)
            self._left.pop(run_id, None)

    def _submit(self, cluster: Cluster) -> None:
        for run in list(self._left.values()):
            if run.id not in self._tasks:
                arguments = (inside.execute, run.uid, run.attempt, versions.mine())
                self._tasks[run.id] = cluster.submit(names.task(run), *arguments)

    def _take_more(self, cluster: Cluster) -> None:
        """Keep the workers busy: each has a run, and one to go on with."""
        if self._adopts is not None:
            return
        if alone := [run for run in self._left.values() if run.id not in self._tasks]:
            self._attach(cluster.name, alone)  # the database went away before it could be done
            self._submit(cluster)
        count = 2 * self.claim.workers + self._pace - len(self._left)
        self._pace = 0
        if count > 0 and self.claim.lane and not self._stopping.is_set():
            free = self._free()
            with reading(self._means.sessions) as session:
                offered = claims.offers(session, self.claim.lane, free=free)
            if offered:
                self._take(cluster, count, free)
        workers = min(self.claim.workers, max(1, len(self._left)))
        if self._left and workers != self._workers:
            self._resize(cluster, workers)

    def _resize(self, cluster: Cluster, workers: int) -> None:
        """Ask for so many workers; while the gateway is away the cluster does with what it has."""
        try:
            cluster.grow(workers)
        except Exception as error:
            log.warning("cluster %s keeps %d workers: %s", cluster.name, self._workers, error)
        else:
            self._workers = workers

    def _take(self, cluster: Cluster, count: int, free: bool) -> None:
        with self._means.sessions.begin() as session:
            name, lane = self._means.conductor, self.claim.lane
            runs = claims.more(session, name, lane, count, self._lease, free=free)
        self._left.update({run.id: run for run in runs})
        self._attach(cluster.name, runs)
        self._submit(cluster)

    def _watch(self) -> None:
        assert self.cluster is not None
        alone_since: float | None = None
        while self._left and not self._stopping.wait(self._means.poll):
            try:
                self._look()
                self._take_more(self.cluster)
            except DBAPIError as error:
                log.warning("the database does not answer: %s", error.orig)
            there = self.cluster.workers() > 0
            self._came = self._came or there
            alone_since = None if there else alone_since or time.monotonic()
            if alone_since and time.monotonic() - alone_since > WORKER_SECONDS:
                raise Lost(f"no worker came within {WORKER_SECONDS:g} s")

    def _look(self) -> None:
        with reading(self._means.sessions) as session:
            over = leases.ended(session, self._left)
            asked = leases.wanted_cancelled(session, self._means.conductor)
        for run in list(self._left.values()):
            task = self._tasks.get(run.id)
            if task is None:
                continue  # leased, and not on its way yet
            if run.id in over:
                if task.ended or self._since_when(run, "over") > TIDY_SECONDS:
                    self._forget(run)
            elif task.ended:
                self._conclude(run, task)
            elif run.id in asked:
                self._cancel(run, asked[run.id])

    def _conclude(self, run: Leased, task: Task) -> None:
        """Judge a run whose task is over: one that was delivered is the catalog's by now."""
        try:
            told: Mapping[str, Any] = task.result()
        except Lost as error:
            self._retry(run, {"error": "WorkerDied", "message": f"{error} while it ran"})
        except Exception as error:
            self._fail(run, {"error": type(error).__name__, "message": _line(error)})
        else:
            message = _line(told.get("message") or "its task ended without a result")
            reason = {"error": told.get("error") or "NoResult", "message": message}
            again = told["state"] in (LOST, REVOKED)
            self._retry(run, reason) if again else self._fail(run, reason)
        self._forget(run)

    def _cancel(self, run: Leased, state: str) -> None:
        """Cancel a run that has not begun; one that runs may stop itself, for a while."""
        if state == "running" and self._since_when(run, "asked") < CANCEL_SECONDS:
            return
        with self._means.sessions.begin() as session:
            leases.cancel(session, self._means.conductor, run.id, state)
        # if it began at this moment, it is running now and the next look finds it so

    def _since_when(self, run: Leased, what: str) -> float:
        """Return for how long something has been seen of a run, in seconds."""
        return time.monotonic() - self._since.setdefault((run.id, what), time.monotonic())

    def _retry(self, run: Leased, error: dict[str, Any], own: bool = False) -> None:
        log.warning("run %s: %s", run.uid, error["message"])
        with self._means.sessions.begin() as session:
            leases.requeue(session, self._means.conductor, run.id, error, own=own)

    def _fail(self, run: Leased, error: dict[str, Any]) -> None:
        with self._means.sessions.begin() as session:
            leases.fail(session, self._means.conductor, run.id, error)

    def _try_again(self, name: str, error: Exception, *, own: bool) -> None:
        for run in list(self._left.values()):
            self._retry(run, {"error": name, "message": _line(error)}, own)
            self._forget(run)

    def _end_all(self, error: dict[str, Any]) -> None:
        for run in list(self._left.values()):
            self._fail(run, error)
            self._forget(run)

    def _forget(self, run: Leased) -> None:
        del self._left[run.id]
        self._pace += 1
        task = self._tasks.pop(run.id, None)
        if task is not None and not task.ended:
            task.cancel()

    def _close(self) -> None:
        if self.cluster is None:
            return
        if self._stopping.is_set() and self.lasts():
            return self.cluster.leave()
        for pause in CLOSE_TRIES:
            time.sleep(pause)
            try:
                self.cluster.close()
            except Exception as error:
                log.warning("cluster %s does not close: %s", self.cluster.name, error)
            else:
                log.info("cluster %s closed", self.cluster.name)
                return


def _line(error: Exception | str) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__
