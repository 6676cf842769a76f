"""Clusters of Dask Gateway: opened for a batch, with the run key in their environment."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

import dask_gateway
from dask_gateway.auth import GatewayAuth, JupyterHubAuth
from dask_gateway.client import ClusterReport, ClusterStatus
from distributed import Client

from ..core.templates import sizes
from ..errors import BadInput, Unavailable
from .clusters import SETTINGS, DaskSubmits, Lost

GIB = 2**30
POLL_SECONDS = 0.3


class GatewayClusters:
    """The clusters of one account at one Dask Gateway.

    `address` is the gateway's, `proxy` the one that schedulers are reached through
    (gateway://host:port). The gateway's option `environment` must be open to this account.
    """

    last = True

    def __init__(self, address: str, proxy: str, auth: GatewayAuth | str | None = None) -> None:
        self._gateway = dask_gateway.Gateway(address=address, proxy_address=proxy, auth=auth)

    @classmethod
    def of_hub(cls, address: str, proxy: str, token: str) -> GatewayClusters:
        """Return the clusters of the hub account (or service) that `token` belongs to."""
        return cls(address, proxy, JupyterHubAuth(api_token=token))

    def open(
        self, environment: Mapping[str, str], workers: int, resources: Mapping[str, Any]
    ) -> GatewayCluster:
        """Ask for a cluster and return it before it runs; raise Unavailable, or BadInput."""
        chosen = {"environment": {**SETTINGS, **environment}, **size(resources)}
        try:
            declared = self._gateway.cluster_options(use_local_defaults=False)
        except Exception as error:  # a hub answers 404 while its gateway is not up
            raise Unavailable(f"the gateway does not answer: {error}") from error
        known = {name: value for name, value in chosen.items() if name in declared}
        try:
            return GatewayCluster(self._gateway, self._gateway.submit(**known), workers)
        except ValueError as error:
            raise BadInput(f"the gateway refuses the template's resources: {error}") from error
        except Exception as error:
            raise Unavailable(f"the gateway gave no cluster: {error}") from error

    def adopt(self, name: str) -> GatewayCluster:
        """Return a cluster that another conductor of this account opened."""
        return GatewayCluster(self._gateway, name, None)

    def list_mine(self) -> list[str]:
        """Return the names of this account's clusters that start or run."""
        return [report.name for report in self._gateway.list_clusters()]

    def stop(self, name: str) -> None:
        """End a cluster by its name; one that is gone already is no error."""
        with contextlib.suppress(ValueError):  # the gateway's 404
            self._gateway.stop_cluster(name)

    def close(self) -> None:
        """Close the connection to the gateway; clusters stay."""
        self._gateway.close()
        self._gateway._asynchronous = True  # else __del__ closes again and stumbles


class GatewayCluster(DaskSubmits):
    """One cluster of the gateway."""

    def __init__(self, gateway: dask_gateway.Gateway, name: str, workers: int | None) -> None:
        self.name = name
        self._gateway = gateway
        self._workers = workers

    def wait(self) -> None:
        """Return when the scheduler runs and workers are on their way, or raise Lost."""
        try:
            report = self._started()
            if self._workers is not None:
                self._gateway.scale_cluster(self.name, self._workers)
            address, security = report.scheduler_address, report.security
            self._client = Client(address, security=security, set_as_default=False)
            self._spread()
        except Exception as error:
            raise Lost(f"cluster {self.name} did not start: {error}") from error

    @property
    def client(self) -> Client | None:
        """The connection, once `wait` has returned."""
        return self._client

    def grow(self, workers: int) -> None:
        """Ask the gateway for so many workers; of fewer, it ends those that have nothing to do."""
        self._gateway.scale_cluster(self.name, workers)

    def close(self) -> None:
        """Tell the gateway to end the cluster, then let go of the connection."""
        try:
            with contextlib.suppress(ValueError):  # the gateway's 404
                self._gateway.stop_cluster(self.name)
        finally:
            self._disconnect()

    def _started(self) -> ClusterReport:
        """Return what the gateway says of the cluster once it runs; it gives up by itself."""
        while True:
            report = self._gateway.get_cluster(self.name)
            if report.status is ClusterStatus.RUNNING:
                return report
            if report.status is not ClusterStatus.PENDING:
                raise Lost(f"it is {report.status.name.lower()}")
            time.sleep(POLL_SECONDS)


def size(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest's resources as the gateway's options: cores, and memory in GiB."""
    chosen: dict[str, Any] = {}
    if "cores" in resources:
        chosen["worker_cores"] = int(resources["cores"])
    if "memory" in resources:
        chosen["worker_memory"] = sizes.nbytes(resources["memory"]) / GIB
    if resources.get("gpus"):
        chosen["gpus"] = int(resources["gpus"])
    return chosen
