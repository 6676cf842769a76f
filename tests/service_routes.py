"""Prints every route of the catalog service, Jupyter Server's own with ours, as JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import header_service

from cid_server_ext import service
from cid_server_ext.app import CidApp


def patterns(router: Any) -> Iterator[str]:
    """Yield what addresses look like, as regular expressions."""
    for rule in router.rules:
        expression = getattr(rule.matcher, "regex", None)
        if expression is not None:
            yield expression.pattern
        elif hasattr(rule.target, "rules"):
            yield from patterns(rule.target)


def main() -> None:
    environ = {
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{sys.argv[1]}/services/cid/",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/cid/",
    }
    settings = {
        **service.config(environ),
        "identity_provider_class": header_service.HeaderIdentity,
    }
    CidApp.serverapp_class = service.CatalogServer
    CidApp.load_other_extensions = False
    CidApp.serverapp_config = settings
    server = CidApp.initialize_server(argv=[])
    print(json.dumps(sorted(set(patterns(server.web_app.default_router)))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
