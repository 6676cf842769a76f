"""What the conductor needs of a cluster, and the part that every Dask cluster shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from distributed import Client, Future, fire_and_forget
from distributed.scheduler import KilledWorker

from . import versions
from .spread import spreading

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


GOING = ("waiting", "no-worker", "queued", "processing")  # states of a task under way


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

    def submit(self, key: str, function: Callable[..., Any], *args: Any) -> Task:
        """Execute the function on a worker of its own, once; a second time is never tried."""

    def found(self, key: str) -> Task:
        """Return a task that another connection submitted by this key."""

    def workers(self) -> int:
        """Return how many workers answer now."""

    def versions(self) -> dict[str, str]:
        """Return what its scheduler has of what `versions.mine` names."""

    def grow(self, workers: int) -> None:
        """Ask for so many workers; fewer, and those that have nothing to do may end."""

    def leave(self) -> None:
        """Let go of the connection; the cluster and its tasks stay."""

    def close(self) -> None:
        """End workers and scheduler; a second call does nothing."""


class Clusters(Protocol):
    """Where clusters come from. Those that `last` go on without who opened them."""

    last: bool

    def open(
        self, environment: Mapping[str, str], workers: int, resources: Mapping[str, Any]
    ) -> Cluster:
        """Ask for a cluster whose workers have `environment`.

        Raises Unavailable when nobody answers, BadInput when the resources are refused.
        """

    def adopt(self, name: str) -> Cluster:
        """Return a cluster that another conductor opened; `wait` connects, or raises Lost."""

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
        self._future.cancel(force=True)


class FoundTask:
    """A task that another connection submitted; all that is known is whether it is under way."""

    def __init__(self, cluster: DaskSubmits, key: str) -> None:
        self._cluster, self._key = cluster, key

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen."""
        return self._key not in self._cluster.going()

    def result(self) -> Any:
        """Raise Lost: what it returned went to who submitted it."""
        raise Lost("its worker ended without a word")

    def cancel(self) -> None:
        """Do nothing: its token has ended, or the catalog's next answer ends it."""


class DaskSubmits:
    """The part of a Cluster that a Dask client does; `_client` is set by `wait`."""

    _client: Client | None = None

    def submit(self, key: str, function: Callable[..., Any], *args: Any) -> DaskTask:
        """Execute the function on a worker of its own, once, whoever listens."""
        future = self._open().submit(
            function, *args, key=key, pure=False, retries=0, resources={SLOT: 1}
        )
        fire_and_forget(future)
        return DaskTask(future)

    def found(self, key: str) -> FoundTask:
        """Return a task that another connection submitted by this key."""
        return FoundTask(self, key)

    def going(self) -> set[str]:
        """Return the keys of the tasks under way."""

        def of(dask_scheduler: Any) -> list[str]:
            return [str(key) for key, task in dask_scheduler.tasks.items() if task.state in states]

        states = GOING  # what is defined here travels by value: a scheduler need not have us
        return set(self._open().run_on_scheduler(of))

    def leave(self) -> None:
        """Let go of the connection; the cluster and its tasks stay."""
        self._disconnect()

    def versions(self) -> dict[str, str]:
        """Return what its scheduler has of what `versions.mine` names."""
        return versions.of_host(self._open().get_versions()["scheduler"])

    def workers(self) -> int:
        """Return how many workers answer now."""
        if self._client is None or self._client.status != "running":
            return 0
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def _spread(self) -> None:
        """Let what waits behind a run go to workers that come later, or are done sooner."""
        self._open().run_on_scheduler(spreading(SLOT))

    def _open(self) -> Client:
        if self._client is None:
            raise Lost("the cluster is not open")
        return self._client

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close(timeout=2)
