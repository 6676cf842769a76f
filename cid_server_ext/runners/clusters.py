"""What the conductor needs of a cluster, and the part that every Dask cluster shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from distributed import Client, Future
from distributed.scheduler import KilledWorker

from . import versions

# a worker has one slot: a run that secedes still keeps others off its worker. In lower case, as
# Dask reads the name from the environment
SLOT = "run"
SETTINGS = {
    f"DASK_DISTRIBUTED__WORKER__RESOURCES__{SLOT.upper()}": "1",
    # a task whose worker died is not run again by Dask, but by us: with a new token
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    # what runs need is imported before a worker says that it is there
    "DASK_DISTRIBUTED__WORKER__PRELOAD": "cid_server_ext.runners.worker.warm",
}


class Lost(Exception):
    """The worker or the cluster under a task is gone; the task itself is not to blame."""


class Task(Protocol):
    """One run on its way through a cluster."""

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen."""

    def result(self) -> Any:
        """Return what the function returned; raise Lost, or what it raised."""

    def cancel(self) -> None:
        """Do not start the task, if it has not started."""


class Cluster(Protocol):
    """One cluster for one batch. It has a name at once and accepts tasks after `wait`."""

    name: str

    def wait(self) -> None:
        """Return when tasks can be submitted, or raise Lost."""

    def submit(self, function: Callable[..., Any], *args: Any) -> Task:
        """Execute the function on a worker of its own, once; a second time is never tried."""

    def workers(self) -> int:
        """Return how many workers answer now."""

    def versions(self) -> dict[str, str]:
        """Return what its scheduler has of what `versions.mine` names."""

    def grow(self, workers: int) -> None:
        """Ask for so many workers; fewer, and those that have nothing to do may end."""

    def close(self) -> None:
        """End workers and scheduler; a second call does nothing."""


class Clusters(Protocol):
    """Where clusters come from."""

    def open(
        self, environment: Mapping[str, str], workers: int, resources: Mapping[str, Any]
    ) -> Cluster:
        """Ask for a cluster whose workers have `environment`.

        Raises Unavailable when nobody answers, BadInput when the resources are refused.
        """

    def list_mine(self) -> list[str]:
        """Return the names of the clusters that run on this account."""

    def stop(self, name: str) -> None:
        """End a cluster by its name; one that is gone already is no error."""


class DaskTask:
    """A task of `distributed`."""

    def __init__(self, future: Future) -> None:
        self._future = future

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen."""
        return self._future.status != "pending"

    def result(self) -> Any:
        """Return what the function returned; raise Lost, or what it raised."""
        status = self._future.status
        if status == "finished":
            return self._future.result(timeout=10)
        if status != "error":
            raise Lost(f"the cluster is gone (its task is {status})")
        error = self._future.exception(timeout=10)
        if isinstance(error, KilledWorker):
            raise Lost("the worker died")
        raise error

    def cancel(self) -> None:
        """Do not start the task, if it has not started."""
        self._future.cancel()


class DaskSubmits:
    """The part of a Cluster that a Dask client does; `_client` is set by `wait`."""

    _client: Client | None = None

    def submit(self, function: Callable[..., Any], *args: Any) -> DaskTask:
        """Execute the function on a worker of its own, once."""
        if self._client is None:
            raise Lost("the cluster is not open")
        future = self._client.submit(function, *args, pure=False, retries=0, resources={SLOT: 1})
        return DaskTask(future)

    def versions(self) -> dict[str, str]:
        """Return what its scheduler has of what `versions.mine` names."""
        if self._client is None:
            raise Lost("the cluster is not open")
        return versions.of_host(self._client.get_versions()["scheduler"])

    def workers(self) -> int:
        """Return how many workers answer now."""
        if self._client is None or self._client.status != "running":
            return 0
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close(timeout=2)
