"""Where one hub listens and what it keeps: the values all other modules here are made from."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
PORTS = ("proxy", "proxy-api", "hub", "cid", "gateway", "gateway-api")
"""What listens, in the order of the ports from `Site.port` on."""


@dataclass(frozen=True, slots=True)
class Site:
    """One hub on this machine: six ports from `port` on, and one folder `run`.

    `demo` adds a service token that can speak for the demo accounts.
    """

    port: int
    run: Path
    demo: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Site:
        """Read CID_PORT (8000), CID_RUN_DIR (`run/demo` in the current folder) and CID_DEMO."""
        return cls(
            port=int(environment.get("CID_PORT", "8000")),
            run=Path(environment.get("CID_RUN_DIR", "run/demo")).resolve(),
            demo=environment.get("CID_DEMO") == "1",
        )

    @property
    def environment(self) -> dict[str, str]:
        """The variables from which another process reads this site back."""
        named = {"CID_PORT": str(self.port), "CID_RUN_DIR": str(self.run)}
        return named | ({"CID_DEMO": "1"} if self.demo else {})

    @property
    def ports(self) -> dict[str, int]:
        """Which part listens where."""
        return {name: self.port + offset for offset, name in enumerate(PORTS)}

    @property
    def url(self) -> str:
        """What a browser opens."""
        return self.address("proxy")

    @property
    def service_url(self) -> str:
        """The catalog, as users, conductor and runs reach it: through the hub's proxy."""
        return f"{self.url}/services/cid/"

    @property
    def gateway_url(self) -> str:
        """Dask Gateway, through the hub's proxy."""
        return f"{self.url}/services/dask-gateway"

    @property
    def gateway_proxy(self) -> str:
        """Where clients of a cluster's scheduler connect: TLS, straight to the gateway's proxy."""
        return f"gateway://{HOST}:{self.ports['gateway']}"

    @property
    def database(self) -> str:
        """The catalog's database."""
        return f"sqlite:///{self.run / 'catalog.sqlite'}"

    @property
    def storage(self) -> Path:
        """The folder that holds images and files."""
        return self.run / "storage"

    @property
    def log(self) -> Path:
        """What the hub and its services write."""
        return self.run / "hub.log"

    def address(self, part: str) -> str:
        """Return the http address of one of PORTS."""
        return f"http://{HOST}:{self.ports[part]}"

    def jupyter_home(self, name: str) -> dict[str, str]:
        """Return the variables that keep a service's Jupyter files inside the run folder."""
        home = self.run / "services" / name
        return {
            "HOME": str(home),
            "JUPYTER_NO_CONFIG": "1",
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        }

    def secret(self, name: str) -> str:
        """Return a secret of this run folder; it is made at first use, readable by us only."""
        path = self.run / "secrets" / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            fresh = path.with_name(f"{name}.{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(12 if name == "password" else 32))
            fresh.replace(path)
        return path.read_text()


def imports_on_clusters(environ: Mapping[str, str]) -> bool:
    """Return whether the catalog imports on clusters of a gateway."""
    return environ.get("CID_IMPORT_CLUSTER", "").startswith("gateway:")
