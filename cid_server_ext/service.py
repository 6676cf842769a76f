"""The extension alone, as a JupyterHub service: `python -m cid_server_ext.service`.

A Jupyter Server without kernels, contents and terminals; who is asking is the hub's answer.
"""

from __future__ import annotations

import os
import sys
from typing import Any
from urllib.parse import urlparse

from jupyter_server.auth import Authorizer
from jupyter_server.serverapp import ServerApp

from .app import CidApp
from .errors import CidError
from .ingest import convert

LARGEST_BODY = 2**40  # bytes of one PUT; what may come is in its ticket


class DenyAll(Authorizer):
    """Nothing of Jupyter Server's own is open here; our handlers ask the policy instead."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        """Refuse."""
        return False


class CatalogServer(ServerApp):
    """A Jupyter Server with login and nothing else."""

    default_services = ("auth",)


class CatalogService(CidApp):
    """The catalog in its own process."""

    serverapp_class = CatalogServer
    load_other_extensions = False


def config(environ: dict[str, str]) -> dict[str, Any]:
    """Return the server's settings from what the hub gives a managed service."""
    url = urlparse(environ["JUPYTERHUB_SERVICE_URL"])
    return {
        "ip": url.hostname,
        "port": url.port,
        "port_retries": 0,
        "base_url": environ["JUPYTERHUB_SERVICE_PREFIX"],
        "identity_provider_class": "jupyterhub.singleuser.extension.JupyterHubIdentityProvider",
        "authorizer_class": DenyAll,
        "allow_unauthenticated_access": False,
        "allow_remote_access": True,
        "trust_xheaders": True,
        "max_body_size": LARGEST_BODY,
        # tornado's own check comes before the identity is known; jupyter-server's comes after it
        "tornado_settings": {"xsrf_cookies": False},
        "open_browser": False,
        "allow_root": True,
        "answer_yes": True,
    }


def main() -> None:
    """Serve until stopped."""
    convert.warm_up(dict(os.environ))
    CatalogService.serverapp_config = config(dict(os.environ))
    argv = [f"--HubOAuth.cache_max_age={os.environ.get('CID_HUB_CACHE', '5')}", *sys.argv[1:]]
    try:
        CatalogService.launch_instance(argv)
    except CidError as error:
        sys.exit(f"cid: {error}")


if __name__ == "__main__":
    main()
