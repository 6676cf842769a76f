"""The extension in a hub user's own server: it decides nothing, it says where the service is."""

from __future__ import annotations

import json

from jupyter_server.base.handlers import APIHandler
from tornado import web


class Where(APIHandler):
    """cid/api/v1/where."""

    def initialize(self, service: str) -> None:
        """Keep the service's URL path."""
        self.service = service

    @web.authenticated
    def get(self) -> None:
        """Answer the address that browser code calls with the visitor's own token."""
        self.finish(json.dumps({"home": "pointer", "service": self.service}))


def pointer_routes(service: str) -> list[tuple[str, type, dict[str, str]]]:
    """Return the only route a pointer has."""
    return [(r"/cid/api/v1/where", Where, {"service": service})]
