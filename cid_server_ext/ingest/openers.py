"""Where the clusters of imports come from: one inside this process, a scheduler's, a Gateway's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dask
from distributed import Client, LocalCluster

if TYPE_CHECKING:
    from dask_gateway.auth import GatewayAuth


@dataclass
class Ours:
    """A cluster that a client speaks with, and what is closed after it."""

    client: Client
    grow: Callable[[int], None] = lambda workers: None
    ends: list[Callable[[], Any]] = field(default_factory=list)

    def close(self) -> None:
        """Close the client, then the rest."""
        with suppress(Exception):
            self.client.close(timeout=5)
        for end in self.ends:
            end()


def embedded() -> Ours:
    """Return a cluster inside this process: what opens files is a child of it in any case."""
    # Dask's pages ask nobody who he is: there are none, and what would serve them is on loopback
    nothing = {f"distributed.{part}.http.routes": [] for part in ("scheduler", "worker")}
    with dask.config.set(nothing):
        cluster = LocalCluster(
            processes=False,
            n_workers=1,
            threads_per_worker=1,
            memory_limit=0,  # else it pauses for what the service itself holds
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
        )
    client = Client(cluster, set_as_default=False, direct_to_workers=True)
    return Ours(client, ends=[cluster.close])


def shared(address: str) -> Callable[[], Ours]:
    """Return what connects with a scheduler that others started."""

    def opens() -> Ours:
        return Ours(Client(address, timeout=10, set_as_default=False, direct_to_workers=False))

    return opens


def gateway(
    address: str, proxy: str, auth: GatewayAuth, most: int, memory: int
) -> Callable[[], Ours]:
    """Return what opens clusters of a Dask Gateway; they grow with the work, up to `most`.

    memory: bytes of one machine.
    """
    from ..runners.gateway import GatewayClusters

    def opens() -> Ours:
        clusters = GatewayClusters(address, proxy, auth)
        cluster = None
        try:
            cluster = clusters.open({}, 1, {"cores": 1, "memory": memory})
            cluster.wait()
            client = cluster.client
            assert client is not None
        except BaseException:
            with suppress(Exception):
                if cluster is not None:
                    cluster.close()
            clusters.close()
            raise

        def grow(workers: int) -> None:
            cluster.grow(min(workers, most))

        return Ours(client, grow, [cluster.close, clusters.close])

    return opens
