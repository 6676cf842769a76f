"""Start and stop what a test needs: waiting with a deadline, the service process, a deposit."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from nest import NEST, Forked
from ports import free_port

TESTS = Path(__file__).parent
LOOPBACK = ssl.create_default_context()  # made once: httpx would make one for each request


def wait_until(true: Callable[[], Any], seconds: float = 60, what: str = "condition") -> Any:
    """Return the first truthy answer, or fail after a deadline."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while time.monotonic() < deadline:
        answer = true()
        if answer:
            return answer
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


@dataclass
class Service:
    """A running catalog service, and a way to speak to it as anybody."""

    process: Forked
    origin: str
    folder: Path

    @property
    def url(self) -> str:
        return f"{self.origin}/services/cid/"

    def ask(self, method: str, path: str, who: Any = None, **more: Any) -> httpx.Response:
        """Call the API as `who`: a name, a dict of the hub's user model, or "run:<token>"."""
        headers = more.pop("headers", {}) | identity(who)
        url = f"{self.url}api/v1/{path}"
        return httpx.request(method, url, headers=headers, timeout=60, verify=LOOPBACK, **more)

    def staged(self) -> list[str]:
        """Return what lies in staging."""
        staging = self.folder / "storage" / "staging"
        return sorted(p.name for p in staging.iterdir()) if staging.exists() else []


def identity(who: Any) -> dict[str, str]:
    if who is None:
        return {}
    if isinstance(who, str) and who.startswith("run:"):
        return {"Authorization": f"CID-Run {who[4:]}"}
    return {"X-Test-User": json.dumps({"name": who} if isinstance(who, str) else who)}


STAFF = {
    "name": "staff",
    "scopes": ["custom:cid:read", "custom:cid:write", "custom:cid:staff"],
    "groups": ["cid-staff"],
}


def start_service(folder: Path, port: int = 0, **settings: str) -> Service:
    """Start the real service on a free port, or this one, with its own database and storage.

    `settings` are environment variables, such as CID_DATABASE.
    """
    port = port or free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CID_STORAGE": str(folder / "storage"),
        "CID_DATABASE": f"sqlite:///{folder}/catalog.sqlite",
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        **settings,
    }
    process = NEST.fork(port, environ, folder / "service.log")
    service = Service(process, f"http://127.0.0.1:{port}", folder)

    def answers() -> bool:
        if process.poll() is not None:
            raise AssertionError((folder / "service.log").read_text()[-3000:])
        try:
            answer = service.ask("GET", "whoami", "anyone")
        except httpx.TransportError:
            return False
        assert answer.status_code == 200, (folder / "service.log").read_text()[-3000:]
        return True

    try:
        wait_until(answers, 180, "the catalog service answers")
    except BaseException:
        stop(process)
        raise
    return service


def stop(process: subprocess.Popen[bytes] | Forked) -> None:
    """End a process and everything it started, by its own process group."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def content_digest(body: bytes) -> str:
    """Return the RFC 9530 header of some bytes."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def deposit(
    service: Service, who: Any, project: str, path: Path, dataset: str = "", kind: str = "import"
) -> dict[str, Any]:
    """Deposit a file or folder as the client does, and return the ended deposit."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    named = {str(p.relative_to(path.parent)): p.read_bytes() for p in files}
    declared = [{"path": name, "nbytes": len(body)} for name, body in named.items()]
    opened = service.ask(
        "POST",
        f"projects/{project}/deposits",
        who,
        json={"kind": kind, "dataset": dataset, "files": declared, "again": True},
    )
    if opened.status_code != 201:
        return opened.json()
    upload = service.origin + opened.json()["upload"]
    for name, body in named.items():
        headers = {"Content-Digest": content_digest(body)}
        put = httpx.put(upload + quote(name), content=body, headers=headers, timeout=60)
        assert put.is_success, put.text
    uid = opened.json()["uid"]
    begun = service.ask("POST", f"deposits/{uid}/commit", who, json={})
    assert begun.status_code == 202, begun.text

    def ended() -> dict[str, Any] | None:
        now = service.ask("GET", f"deposits/{uid}", who).json()
        return now if now["state"] in ("done", "failed", "aborted") else None

    return wait_until(ended, 120, f"import of {path.name}")
