"""Where the workers of an import come from: children of this process, or of a Dask cluster's."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from ..errors import BadInput
from .limits import Limits
from .workers import Worker

CHILDREN = 4  # at once, for small items, on one machine
BESIDES = 1 << 30  # bytes of a machine for Dask and the nursery, beside its child
KINDS = "children, local, gateway:http://…, tcp://host:port or tls://host:port"


class Workshop(Protocol):
    """What an import asks for workers.

    width: how many of one import work at once. spread: they have machines of their own, so large
    files go side by side too.
    """

    width: int
    spread: bool

    def worker(
        self,
        limits: Limits,
        should_stop: Callable[[], bool],
        on_wait: Callable[[str], None] = lambda text: None,
    ) -> Worker:
        """Return a worker. While it waits for a machine it says so again and again."""

    def close(self) -> None:
        """Let go of every machine; nothing that was started here is left."""


class Here:
    """Children of this process, and nothing else."""

    spread = False

    def __init__(self) -> None:
        self.width = min(CHILDREN, os.cpu_count() or 1)

    def worker(
        self,
        limits: Limits,
        should_stop: Callable[[], bool],
        on_wait: Callable[[str], None] = lambda text: None,
    ) -> Worker:
        """Return a worker, at once."""
        return Worker(limits, should_stop)

    def close(self) -> None:
        """Do nothing: the nursery ends with the process."""


HERE = Here()


class Clustered:
    """Children lent by a Dask cluster, of which nothing is loaded before the first import."""

    def __init__(self, width: int, spread: bool, make: Callable[[], Workshop]) -> None:
        self.width, self.spread, self._make = width, spread, make
        self._made: Workshop | None = None
        self._lock = threading.Lock()

    def worker(
        self,
        limits: Limits,
        should_stop: Callable[[], bool],
        on_wait: Callable[[str], None] = lambda text: None,
    ) -> Worker:
        """Return a worker; what it is lent comes from the cluster."""
        with self._lock:
            made = self._made = self._made or self._make()
        return made.worker(limits, should_stop, on_wait)

    def close(self) -> None:
        """Close the cluster, if there was one."""
        if self._made is not None:
            self._made.close()


def workshop(
    named: str,
    *,
    root: Path,
    there: str = "",
    workers: int = CHILDREN,
    memory: int = Limits().memory,
    environ: Mapping[str, str] = os.environ,
) -> Workshop:
    """Return the workshop that is configured.

    named: see KINDS. root: the storage, which the machines know as `there`. memory: of a child.
    BadInput: nobody knows what is named.
    """
    kind, _, address = named.partition(":")
    if named == "children":
        return HERE
    if named != "local" and not (kind in {"tcp", "tls", "gateway"} and address):
        raise BadInput(f"import_cluster: {named[:80]!r} is none of {KINDS}")
    if workers < 1:
        raise BadInput("import_workers: an import needs at least 1")
    if named == "local":
        return Clustered(HERE.width, False, _embedded)

    def far() -> Workshop:
        from . import cluster, openers

        place = (root, Path(there or root))
        if kind != "gateway":
            opens, idle = openers.shared(named), None
        else:
            from dask_gateway.auth import JupyterHubAuth

            auth = JupyterHubAuth(api_token=environ.get("JUPYTERHUB_API_TOKEN", ""))
            proxy = environ.get("CID_GATEWAY_PROXY", "")
            opens = openers.gateway(address, proxy, auth, workers, memory + BESIDES)
            idle = cluster.IDLE
        return cluster.Cluster(opens, width=workers, spread=True, idle=idle, place=place)

    return Clustered(workers, True, far)


def _embedded() -> Workshop:
    from . import cluster, openers

    return cluster.Cluster(openers.embedded, width=HERE.width)
