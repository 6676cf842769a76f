"""The three services that the hub starts and stops: catalog, conductor, Dask Gateway."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from .scopes import READ, STAFF, WRITE
from .site import Site

BIN = Path(sys.executable).parent
IMPORTS = "CID_IMPORT_"  # settings that the hub's environment may have
ADOPTED = "CID_ADOPT_ROOTS"  # the trees of old data that the data plane reads
CLUSTERS = "CID_CLUSTERS"  # whose clusters the conductor opens, of a package beside CID


def configure(c: Any, site: Site) -> None:
    """Declare the services; the demo's token only where the site is a demo."""
    c.JupyterHub.services = [catalog(site), conductor(site), gateway(site)]
    if site.demo:
        c.JupyterHub.services.append({"name": "cid-demo", "api_token": site.secret("cid-demo")})


def catalog(site: Site) -> dict[str, Any]:
    """Return the catalog service: the only holder of database, storage and signing key."""
    return {
        "name": "cid",
        "url": site.address("cid"),
        "command": [sys.executable, "-m", "cid_server_ext.service"],
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [STAFF, WRITE, READ],
        "environment": _environment(
            site,
            "cid",
            CID_DATABASE=site.database,
            CID_STORAGE=str(site.storage),
            CID_HUB_CACHE="5",  # seconds until a change of group or a revoked token is seen
            CID_GATEWAY_PROXY=site.gateway_proxy,
            **_imports(),
            **_told(ADOPTED),
        ),
    }


def conductor(site: Site) -> dict[str, Any]:
    """Return the conductor: no address; its hub token opens the gateway and nothing else."""
    return {
        "name": "cid-conductor",
        "display": False,
        "command": [sys.executable, "-m", "cid_server_ext.runners.conductor"],
        "environment": _environment(
            site,
            "cid-conductor",
            CID_DATABASE=site.database,
            CID_URL=site.service_url,
            CID_GATEWAY=site.gateway_url,
            CID_GATEWAY_PROXY=site.gateway_proxy,
            **_told(CLUSTERS),
        ),
    }


def gateway(site: Site) -> dict[str, Any]:
    """Return Dask Gateway, which asks the hub who calls."""
    server, config = BIN / "dask-gateway-server", Path(__file__).parent / "gateway_config.py"
    return {
        "name": "dask-gateway",
        "display": False,
        "url": site.address("gateway"),
        "command": [str(server), "-f", str(config)],
        "environment": _environment(site, "dask-gateway", **site.environment, **_imports()),
    }


def _imports() -> dict[str, str]:
    named = (name for name in sorted(os.environ) if name.startswith(IMPORTS))
    return {name: os.environ[name] for name in named}


def _told(name: str) -> dict[str, str]:
    """Return a setting that the hub's environment may have."""
    return {name: os.environ[name]} if name in os.environ else {}


def _environment(site: Site, name: str, **more: str) -> dict[str, str]:
    # a service inherits nothing from the hub
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {"PATH": path, **site.jupyter_home(name), **more}
