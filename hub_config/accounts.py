"""The demo's accounts: four names, one password, no others.

A facility replaces this module: any JupyterHub authenticator will do that puts staff in the group
`cid-staff` and invited people in `cid-guest`.
"""

from __future__ import annotations

from typing import Any

from .site import Site

ACCOUNTS = ("staff", "leader", "researcher", "guest")
GROUPS = {"cid-staff": ["staff"], "cid-guest": ["guest"]}


def configure(c: Any, site: Site) -> None:
    """Let the demo accounts in with this run folder's password; every other name is refused."""
    c.JupyterHub.authenticator_class = "shared-password"
    c.SharedPasswordAuthenticator.user_password = site.secret("password")
    c.Authenticator.allowed_users = set(ACCOUNTS)
    c.JupyterHub.load_groups = {name: {"users": users} for name, users in GROUPS.items()}
    c.JupyterHub.template_vars = {
        "announcement": "Demo hub: all servers run as one system user, so its accounts are not "
        "protected from each other."
    }
