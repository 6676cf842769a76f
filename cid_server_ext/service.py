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
# seconds until a thread that computes lets others go on: by default it is ten times as long, and a
# request gives way to it at each question to the database
SWITCH = 0.0005


class DenyAll(Authorizer):
    """Nothing of Jupyter Server's own is open here; our handlers ask the policy instead."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        """Refuse."""
        return False


class CatalogServer(ServerApp):
    """A Jupyter Server with login and nothing else."""

    default_services = ("auth",)


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
        "reraise_server_extension_failures": True,
        "answer_yes": True,
    }


def serve(settings: dict[str, Any], argv: list[str]) -> None:
    """Serve until stopped, with the extension as the only thing in the server."""
    sys.setswitchinterval(SWITCH)
    CidApp.serverapp_class = CatalogServer
    CidApp.load_other_extensions = False
    CidApp.serverapp_config = settings
    try:
        CidApp.launch_instance(argv)
    except CidError as error:
        sys.exit(f"cid: {error}")


def main() -> None:
    """Be the hub's managed service."""
    convert.warm_up()
    cache = f"--HubOAuth.cache_max_age={os.environ.get('CID_HUB_CACHE', '5')}"
    serve(config(dict(os.environ)), [cache, *sys.argv[1:]])


if __name__ == "__main__":
    main()
