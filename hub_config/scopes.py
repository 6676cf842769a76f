"""Which hub permissions exist for the catalog, and who holds them.

The catalog decides about projects and images itself. These scopes only say that a token may speak
to it, may change something there, or may act as staff where its person is staff.
"""

from __future__ import annotations

import os
from typing import Any

from .site import Site, imports_on_clusters

ACCESS = "access:services!service=cid"
READ, WRITE, STAFF = "custom:cid:read", "custom:cid:write", "custom:cid:staff"

CUSTOM = {
    READ: {"description": "See what one reaches in the image catalog"},
    WRITE: {"description": "Import, tag and run in the image catalog", "subscopes": [READ]},
    STAFF: {"description": "Act as the facility's staff in the catalog", "subscopes": [WRITE]},
}

ROLES: list[dict[str, Any]] = [
    # the built-in role "user", written out: JupyterHub 5 has no other way to add to it
    {"name": "user", "scopes": ["self", ACCESS, WRITE]},
    {"name": "cid-staff", "scopes": [STAFF], "groups": ["cid-staff"]},
    # the catalog notices within seconds when an account or its groups are gone
    {
        "name": "cid-catalog",
        "scopes": ["list:users", "read:users:groups"],
        "services": ["cid"],
    },
    # runs go through the conductor; users have no access to the gateway themselves
    {
        "name": "cid-conductor",
        "scopes": ["access:services!service=dask-gateway"],
        "services": ["cid-conductor"],
    },
]
IMPORT_ROLE = {
    "name": "cid-imports",
    "scopes": ["access:services!service=dask-gateway"],
    "services": ["cid"],
}
DEMO_ROLE = {"name": "cid-demo", "scopes": ["tokens", "read:users"], "services": ["cid-demo"]}


def configure(c: Any, site: Site) -> None:
    """Declare the scopes, give them to roles, and bound what a server's tokens may do."""
    c.JupyterHub.custom_scopes = CUSTOM
    imports = [IMPORT_ROLE] if imports_on_clusters(os.environ) else []
    c.JupyterHub.load_roles = [*ROLES, *imports, *([DEMO_ROLE] if site.demo else [])]
    # $JUPYTERHUB_API_TOKEN of a user's server: each scope only if its owner holds it
    c.Spawner.server_token_scopes = [
        "users:activity!user",
        "access:servers!server",
        ACCESS,
        STAFF,
        WRITE,
        READ,
    ]
    # the token in the page of whoever visits that server. Not STAFF: the server is its owner's,
    # who could take a visiting member of staff's token out of the page
    c.Spawner.oauth_client_allowed_scopes = [ACCESS, WRITE, READ]


def token_scopes(*, staff: bool) -> list[str]:
    """Return what a person's own API token needs to use the catalog as from his server."""
    return [ACCESS, STAFF if staff else WRITE]
