"""A running hub in the hands of a program: start it, speak to it as its people, stop it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .launch import READY
from .scopes import token_scopes
from .site import Site


class HubFailed(Exception):
    """The hub did not start; the message says why and what to do."""


class Hub:
    """One hub with its services, run by `hub_config.launch` in a process of its own."""

    def __init__(self, site: Site, process: subprocess.Popen[str]) -> None:
        self.site = site
        self.process = process

    @property
    def url(self) -> str:
        """What a browser opens, without a slash at the end."""
        return self.site.url

    @property
    def service_url(self) -> str:
        """The catalog's base address, with a slash at the end."""
        return self.site.service_url

    @property
    def root(self) -> Path:
        """The run folder."""
        return self.site.run

    @property
    def password(self) -> str:
        """The demo accounts' password."""
        return self.site.secret("password")

    def token(self, user: str, seconds: int = 3600) -> str:
        """Return an API token of a demo account with what its server may do in the catalog."""
        scopes = token_scopes(staff=user == "staff")
        asked = {"scopes": scopes, "expires_in": seconds, "note": "demo"}
        token: str = self.hub_api("POST", f"users/{user}/tokens", asked)["token"]
        return token

    def hub_api(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the hub's own API as the service `cid-demo`."""
        request = urllib.request.Request(
            f"{self.url}/hub/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.site.secret('cid-demo')}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def log(self) -> str:
        """Return what hub and services have written so far."""
        return self.site.log.read_text(errors="replace")

    def last_words(self) -> str:
        """Return what the launcher said after the start; wait for its end first."""
        assert self.process.stdout is not None
        return self.process.stdout.read().strip()

    def stop(self) -> int:
        """Stop everything within 10 s; return the launcher's exit status."""
        self.process.terminate()
        return self.process.wait()


@contextlib.contextmanager
def running(site: Site) -> Iterator[Hub]:
    """Start a hub, give it when all its parts answer, stop it at the end; or raise HubFailed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hub_config.launch"],
        env={**os.environ, **site.environment},
        stdin=subprocess.PIPE,  # closed when we are gone, however that happens: then it stops
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches us; we ask it to stop
    )
    assert process.stdin is not None
    assert process.stdout is not None
    hub = Hub(site, process)
    try:
        first = process.stdout.readline()
        if first.strip() != READY:
            raise HubFailed((first + process.stdout.read()).strip())
        yield hub
    finally:
        hub.stop()
        process.stdin.close()
        process.stdout.close()
