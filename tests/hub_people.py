"""Act on a hub as a person with a browser would: log in by its form, start one's server."""

from __future__ import annotations

from typing import Any

import httpx
from processes import wait_until

from hub_config.running import Hub


class Visitor:
    """One person with cookies; `status` is what the login form answered."""

    def __init__(self, hub: Hub, name: str, password: str | None = None) -> None:
        self.hub, self.name = hub, name
        self.http = httpx.Client(base_url=hub.url, timeout=60)
        self.http.get("/hub/login")
        form = {"username": name, "password": password or hub.password, "_xsrf": self.xsrf()}
        self.status = self.http.post("/hub/login", data=form).status_code
        if self.status == 302:
            self.http.get("/hub/home")  # its xsrf cookie is the logged-in one

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def xsrf(self) -> str:
        found = [c for c in self.http.cookies.jar if c.name == "_xsrf" and c.path == "/hub/"]
        return str(found[-1].value)

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"X-XSRFToken": self.xsrf(), "Referer": f"{self.hub.url}/hub/home"}
        return self.http.request(method, f"/hub/api/{path}", headers=headers, **more)

    def start_server(self) -> None:
        """Return when this person's Jupyter server is ready."""
        answer = self.api("POST", f"users/{self.name}/server", json={})
        assert answer.status_code in (201, 202), answer.text

        def ready() -> bool:
            told = self.api("GET", f"users/{self.name}").json()
            return bool(told["servers"].get("", {}).get("ready"))

        wait_until(ready, 120, f"the server of {self.name} is ready")
