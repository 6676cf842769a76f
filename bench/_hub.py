"""The facility of `outlive` with its hub before it: what is killed is the hub's own process.

`hub_config.launch` then ends whatever the hub started, and a supervisor starts it again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil
from gateways import processes_of
from outlive import KERNEL, Facility
from ports import free_ports
from processes import STAFF, Service, wait_until

from cid_server_ext.db.session import open_database
from hub_config import checks
from hub_config.running import Hub, HubFailed, running
from hub_config.site import PORTS, Site


@dataclass
class HubService(Service):
    """The catalog through the hub's proxy; whoever asks shows a token of the hub."""

    tokens: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, who: Any = None, **more: Any) -> httpx.Response:
        """Call the API as one of the demo's accounts, or as "run:<token>"."""
        name = who["name"] if isinstance(who, dict) else str(who)
        shown = f"CID-Run {name[4:]}" if name.startswith("run:") else f"token {self.tokens[name]}"
        url, headers = f"{self.url}api/v1/{path}", {"Authorization": shown}
        return httpx.request(method, url, headers=headers, timeout=60, **more)


@dataclass
class HubFacility(Facility):
    """All of it below one hub."""

    hub: Hub | None = None
    ends: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def start(self) -> Hub:
        """Start the hub; what an earlier one left may hold its ports for a moment."""

        def up() -> Hub | None:
            try:
                return self.ends.enter_context(running(self.site))
            except HubFailed as error:
                print(f"  the hub did not start: {str(error)[-600:]}", flush=True)
                return None

        started: Hub = wait_until(up, 600, "the hub is up")
        self.hub = started
        return started

    def _kill_hub(self) -> None:
        assert self.hub is not None
        launcher = psutil.Process(self.hub.process.pid)
        (hub,) = [p for p in launcher.children() if "jupyterhub" in " ".join(p.cmdline())]
        hub.kill()
        self.hub.process.wait(60)
        self.start()

    def _clusters(self) -> Any:
        """Return what says which clusters there are: the folder, as no token of ours may ask."""
        return SimpleNamespace(
            list_mine=lambda: list(checks.of_clusters(self.site)), close=lambda: None
        )

    def kernels(self) -> dict[str, psutil.Process]:
        """Return the kernels that execute; none is killed here."""
        return {str(one.pid): one for one in processes_of(self.site, KERNEL)}


@contextlib.contextmanager
def hub_in(folder: Path) -> Iterator[HubFacility]:
    """Run a hub with a project `night`."""
    site = Site(free_ports(len(PORTS)), folder / "site", demo=True)
    with contextlib.ExitStack() as ends:
        service = HubService(None, site.url, site.run)  # type: ignore[arg-type]
        made = HubFacility(folder, site, None, service, None, site.database, None)  # type: ignore[arg-type]
        made.ends = ends
        hub = made.start()
        service.tokens = {name: hub.token(name, 86_400) for name in ("staff", "researcher")}
        made.sessions = open_database(site.database)
        ends.callback(made.sessions.kw["bind"].dispose)
        project = {"team": "lab", "name": "night", "title": "Night", "limit": 10**9}
        project |= {"members": {"researcher": "contributor"}}
        answer = service.ask("POST", "projects", STAFF, json=project)
        assert answer.status_code == 201, answer.text
        yield made
