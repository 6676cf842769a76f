"""Clusters of processes on this machine: the laptop's, and those of the tests.

They separate nothing from the user who starts them; a hub uses Dask Gateway.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster

from ..errors import Unavailable
from . import environ
from .clusters import SETTINGS, DaskSubmits, Lost
from .worker import folders

PREFIX = "cid-cluster-"
START_SECONDS = 60
STOP_SECONDS = 2


class LocalClusters:
    """Clusters that live as long as this process."""

    last = False

    def __init__(self) -> None:
        self._open: dict[str, ProcessCluster] = {}

    def open(
        self, environment: Mapping[str, str], workers: int, resources: Mapping[str, Any]
    ) -> ProcessCluster:
        """Start a scheduler here and workers as processes that have `environment`."""
        try:
            folders.sweep(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))
            cluster = ProcessCluster(environment, workers)
        except OSError as error:
            raise Unavailable(f"no cluster could be started: {error}") from error
        self._open = {c.name: c for c in self._open.values() if not c.closed}
        self._open[cluster.name] = cluster
        return cluster

    def adopt(self, name: str) -> ProcessCluster:
        """Raise Lost: another conductor's ended with it."""
        raise Lost(f"cluster {name} ended with its conductor")

    def list_mine(self) -> list[str]:
        """Return the names of the clusters that run."""
        return [name for name, cluster in self._open.items() if not cluster.closed]

    def stop(self, name: str) -> None:
        """End a cluster by its name; one that is gone already is no error."""
        if name in self._open:
            self._open.pop(name).close()


class ProcessCluster(DaskSubmits):
    """A scheduler in this process and worker processes with an environment of their own."""

    def __init__(self, environment: Mapping[str, str], workers: int) -> None:
        self.name = f"local-{uuid.uuid4().hex}"
        self.closed = False
        self._closing = threading.Lock()
        self._scheduler = LocalCluster(
            n_workers=0,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"allowed_failures": 0},
        )
        folder, self._lock = folders.take(PREFIX, Path(tempfile.gettempdir()))
        self._folder = str(folder)
        self._environment = dict(environment)
        self._processes = [self._start_worker(environment, n) for n in range(workers)]

    def wait(self) -> None:
        """Return when tasks can be submitted; they begin when a worker has arrived."""
        self._client = Client(self._scheduler, set_as_default=False)
        self._spread()

    def grow(self, workers: int) -> None:
        """Start workers until there are so many; those that are too many go with the cluster."""
        with self._closing:
            while not self.closed and len(self._processes) < workers:
                number = len(self._processes)
                self._processes.append(self._start_worker(self._environment, number))

    def close(self) -> None:
        """End the workers, then the scheduler, and remove their folder; once is enough."""
        with self._closing:
            if not self.closed:
                self._end()
                self.closed = True

    def _end(self) -> None:
        for process in self._processes:
            _signal(process, signal.SIGTERM)
        self._disconnect()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._processes:
            _reap(process, deadline)
        self._scheduler.close(timeout=STOP_SECONDS)
        folders.drop(Path(self._folder), self._lock)

    def _start_worker(self, environment: Mapping[str, str], number: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", "worker", self._scheduler.scheduler_address]
        options = {
            "--name": f"{self.name}-{number}",
            "--host": "127.0.0.1",  # a worker asks nobody who sends it code
            "--dashboard-address": "127.0.0.1:0",
            "--nthreads": "1",
            "--memory-limit": "0",
            "--local-directory": self._folder,
            "--death-timeout": str(START_SECONDS),
        }
        flat = [word for option in options.items() for word in option]
        with open(os.path.join(self._folder, f"worker-{number}.log"), "wb") as log:
            return subprocess.Popen(
                [*command, *flat, "--no-dashboard"],
                env={**environ.inherited(os.environ), **SETTINGS, **environment},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # one signal reaches the nanny and its worker
            )


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _reap(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()
    _signal(process, signal.SIGKILL)  # a worker that its nanny left behind
