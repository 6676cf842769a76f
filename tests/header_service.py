"""The catalog service with an identity provider that believes a header.

One test can so speak as several people. Everything behind it is the real service:
`python header_service.py PORT`, settings from the environment as the hub gives them. Its readers of
images load with the first image, as most tests bring none.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

from jupyter_server.auth import IdentityProvider, User

from cid_server_ext import service

ALL = ("custom:cid:read", "custom:cid:write")


class HeaderIdentity(IdentityProvider):
    """Takes `X-Test-User: {"name": ..., "scopes": [...], "groups": [...]}` for the hub's word."""

    hub_auth = SimpleNamespace(
        check_scopes=lambda wanted, model: set(wanted) & set(model["scopes"])
    )

    def get_user(self, handler):
        header = handler.request.headers.get("X-Test-User")
        if header is None:
            return None
        model = {"kind": "user", "groups": [], "scopes": list(ALL), **json.loads(header)}
        user = User(username=model["name"])
        user.hub_user = model
        return user

    def is_token_authenticated(self, handler):
        return "X-Test-Cookie" not in handler.request.headers


def main() -> None:
    port = sys.argv[1]
    environ = {
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}/services/cid/",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/cid/",
    }
    settings = {**service.config(environ), "identity_provider_class": HeaderIdentity}
    service.serve(settings, [])


if __name__ == "__main__":
    main()
