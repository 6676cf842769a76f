"""A client that speaks tus 1.0.0 as its specification says."""

from __future__ import annotations

import base64
import hashlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import planes

from cid_server_ext.storage.plane import DataPlane
from cid_server_ext.storage.tickets import Right

DEPOSIT = "staging/abcdefgh/in"
BODY = "application/offset+octet-stream"
HTTP = httpx.Client(timeout=30)
SPOKEN = {"Tus-Resumable": "1.0.0"}


@dataclass
class Tus:
    """One client. What every answer must say is checked with every answer."""

    plane: DataPlane
    port: int
    limit: int = 10**9
    prefix: str = DEPOSIT
    mode: str = "w"
    headers: dict[str, str] = field(default_factory=SPOKEN.copy)

    @property
    def root(self) -> Path:
        return self.plane.root.root

    @property
    def url(self) -> str:
        limit = self.limit if self.mode == "w" else 0
        ticket = self.plane.signer.sign(Right(self.prefix, self.mode, limit))
        return f"http://127.0.0.1:{self.port}/data/{ticket}/"

    def ask(self, verb: str, url: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = HTTP.request(verb, url, content=body, headers=self.headers | named)
        if verb != "OPTIONS":
            assert answer.headers["Tus-Resumable"] == "1.0.0"
        assert answer.headers["Cache-Control"] == "no-store"
        return answer

    def post(self, path: str, nbytes: int, body: Any = None, **more: str) -> httpx.Response:
        headers = {"Upload_Length": str(nbytes), "Upload_Metadata": told(path=path), **more}
        return self.ask("POST", self.url, body, **headers)

    def create(self, path: str, nbytes: int, **said: str) -> str:
        """Return the address of a new upload."""
        answer = self.post(path, nbytes, Upload_Metadata=told(path=path, **said))
        assert answer.status_code == 201, answer.text
        return f"http://127.0.0.1:{self.port}{answer.headers['Location']}"

    def again(self, url: str) -> str:
        """Return the address of the same upload below a fresh ticket."""
        return f"{self.url}.uploads/{url.rpartition('/')[2]}"

    def head(self, url: str) -> httpx.Response:
        return self.ask("HEAD", url)

    def offset(self, url: str) -> int:
        answer = self.head(url)
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["Upload-Offset"])

    def patch(self, url: str, at: int, body: Any, **more: str) -> httpx.Response:
        headers = {"Upload_Offset": str(at), "Content_Type": BODY, **more}
        return self.ask("PATCH", url, body, **headers)

    def visible(self) -> dict[str, bytes]:
        """Return what an import would see."""
        place = self.root / self.prefix
        return {
            p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*") if p.is_file()
        }

    def line(self, verb: str, url: str, **headers: str) -> socket.socket:
        """Return a connection on which a request was begun, whose body is still to come."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{verb} {url.split(str(self.port))[1]} HTTP/1.1", "Host: x"]
        lines += [f"{name}: {value}" for name, value in (self.headers | named).items()]
        line = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        return line


def told(**said: str) -> str:
    """Return Upload-Metadata."""
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in said.items())


def checksum(name: str, body: bytes) -> str:
    """Return Upload-Checksum."""
    return f"{name} {base64.b64encode(hashlib.new(name, body).digest()).decode()}"


def repr_digest(body: bytes) -> str:
    """Return the Repr-Digest of a complete file."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@contextmanager
def listening(root: Path) -> Iterator[Tus]:
    """Give the client of a data plane that was just started."""
    with planes.listening(root) as (plane, port):
        yield Tus(plane, port)
