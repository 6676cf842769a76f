"""The Dask cluster that a run executes on, for its notebook; threads of this kernel by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Client

CLUSTER = ".cluster.json"  # left in the scratch folder by the run's worker
WAIT_SECONDS = 30

_clients: dict[str, Client] = {}  # by run: one connection for all that asks


def client(run: str, scratch: Path) -> Client:
    """Return a client of the cluster that `run` executes on.

    It is no default of Dask's: `with run.client().as_current():` computes there.
    """
    known = _clients.get(run)
    if known is None or known.status not in ("running", "connecting"):
        known = _clients[run] = _connect(scratch / CLUSTER)
    return known


def _connect(told: Path) -> Client:
    import distributed

    connect: Any = distributed.Client  # not typed
    security_of: Any = distributed.Security
    how: dict[str, Any] = {"set_as_default": False, "timeout": WAIT_SECONDS}
    if not told.is_file():
        here: Client = connect(processes=False, n_workers=1, dashboard_address=None, **how)
        return here
    about = json.loads(told.read_text("utf-8"))
    security = None
    if about["ca_file"]:
        security = security_of(
            require_encryption=True,
            tls_ca_file=about["ca_file"],
            tls_client_cert=about["cert"],
            tls_client_key=about["key"],
        )
    there: Client = connect(about["address"], security=security, **how)
    return there
