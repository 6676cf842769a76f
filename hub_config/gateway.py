"""Dask Gateway: clusters of local processes, asked for by the conductor only, unless imports do."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from pathlib import Path
from typing import Any

from dask_gateway_server.options import Float, Integer, Mapping, Options

from .site import HOST, Site, imports_on_clusters

# so the gateway names a service that calls; no account has a ":" in its name
CONDUCTOR = "service:cid-conductor"
CATALOG = "service:cid"  # where the hub's environment says that it imports on clusters
WORKERS = max(2, min(8, os.cpu_count() or 2))
FORGET_SECONDS = 86_400.0
IDLE_SECONDS = 300  # the conductor closes its clusters; this ends those it could not


def configure(c: Any, site: Site) -> None:
    """Listen behind the hub's proxy; start schedulers and workers as children of the gateway."""
    c.DaskGateway.address = f"{HOST}:{site.ports['gateway-api']}"
    c.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
    # reads the hub's address, its own token and its own name from the service's environment, and
    # lets in whoever holds access:services!service=dask-gateway
    c.DaskGateway.authenticator_class = "dask_gateway_server.auth.JupyterHubAuthenticator"
    c.Proxy.address = f"{HOST}:{site.ports['gateway']}"
    c.Proxy.prefix = "/services/dask-gateway"
    c.LocalBackend.clusters_directory = str(site.run / "clusters")
    # a gateway that was killed finds its clusters again, to go on with them and to end them
    c.DBBackendBase.db_url = f"sqlite:///{memory(site)}"
    key = hashlib.sha256(site.secret("gateway-key").encode()).digest()
    c.DBBackendBase.db_encrypt_keys = [base64.urlsafe_b64encode(key)]
    c.LocalBackend.sigint_timeout = 3
    c.LocalBackend.sigterm_timeout = c.LocalBackend.sigkill_timeout = 2
    # the commands `dask-scheduler` and `dask-worker`, its defaults, exist no more
    c.ClusterConfig.scheduler_cmd = ["dask", "scheduler", "--no-dashboard"]
    c.ClusterConfig.worker_cmd = ["dask", "worker", "--no-dashboard"]
    c.ClusterConfig.cluster_max_workers = WORKERS
    c.ClusterConfig.idle_timeout = IDLE_SECONDS
    c.Backend.cluster_options = options(site, imports_on_clusters(os.environ))


def memory(site: Site) -> Path:
    """Return the database in which the gateway remembers clusters by their process numbers.

    After a reboot or a day, or in another container, these numbers are other processes': it begins
    anew.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    first = Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19]  # when it started
    path = site.run / "gateway" / f"{boot}-{first}.sqlite"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in path.parent.glob("*.sqlite"):
        if old != path or time.time() - old.stat().st_mtime > FORGET_SECONDS:
            old.unlink(missing_ok=True)
    return path


def options(site: Site, imports: bool = False) -> Options:
    """Return what a caller may choose for a cluster, with its limits."""
    fixed = worker_environment(site)
    callers = {CONDUCTOR, CATALOG} if imports else {CONDUCTOR}

    def handler(chosen: Any, user: Any) -> dict[str, Any]:
        if user.name not in callers:
            raise ValueError("clusters are for the conductor: submit a run to the catalog instead")
        return {
            "worker_cores": chosen.worker_cores,
            "worker_memory": int(chosen.worker_memory * 2**30),
            "environment": {**chosen.environment, **fixed},
        }

    return Options(
        Integer("worker_cores", default=1, min=1, max=os.cpu_count() or 1, label="Cores"),
        Float("worker_memory", default=2, min=0.5, max=16, label="Memory (GiB)"),
        Mapping("environment", default={}, label="Environment of scheduler and workers"),
        handler=handler,
    )


def worker_environment(site: Site) -> dict[str, str]:
    """Return what every scheduler and worker gets: no secret, a home of its own, no pages.

    Dask's HTTP pages are served without asking who calls, so they are switched off.
    """
    return {
        "HOME": str(site.run / "services" / "workers"),
        "JUPYTER_NO_CONFIG": "1",
        "DASK_TEMPORARY_DIRECTORY": ".",  # the cluster's own folder, which goes with it
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
        "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
    }
