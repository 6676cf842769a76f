"""Speaks HTTP with the catalog: JSON for its API, bytes for its data plane, errors by name."""

from __future__ import annotations

import json
import os
import platform
import ssl
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin

import httpx

from ..errors import BadInput, NotLoggedIn, TooMany, Unavailable, from_answer
from . import counted, environment, given
from .environment import Access

PAUSES = (0.2, 0.5, 1.0)  # seconds before a GET is tried again
TRANSIENT = (502, 503, 504)
PATIENCE = 120  # seconds that a request waits for its turn, when its person sends very many
TIMEOUT = httpx.Timeout(60, connect=10)
LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16)


class Told(NamedTuple):
    """An answer; the ETag of the record that it is, and the entry that undoes what it changed."""

    body: Any
    etag: str | None
    entry: int | None


class Session:
    """One connection to one catalog, safe to share between threads.

    Its pickle holds the address, and which run it is of, and never a token: where it is unpickled
    it shows what that environment holds, at its first request.
    """

    def __init__(
        self,
        access: Access | None,
        *,
        url: str = "",
        run: str = "",
        transport: httpx.BaseTransport | None = None,
        pauses: tuple[float, ...] | None = None,
    ) -> None:
        """`pauses`: instead of PAUSES, for who had rather wait than fail."""
        self._pauses = pauses
        self._access = access
        self._url = access.url if access else url
        self._run = access.run if access else run
        self._transport = transport
        self._clients: dict[int, httpx.Client] = {}
        self._me: str | None = None

    @property
    def me(self) -> str:
        """My name, as the catalog knows me."""
        if self._me is None:
            self._me = str(self.get("whoami")["name"])
        return self._me

    @property
    def access(self) -> Access:
        """Return address and Authorization, or raise NotConfigured."""
        if self._access is None:
            self._access = environment.access_again(self._url, self._run)
        return self._access

    @property
    def url(self) -> str:
        """The catalog's base address."""
        return self._access.url if self._access else self._url

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON at `path` below api/v1/; tried again when the catalog does not answer."""
        return self.look(path, **query).body

    def look(self, path: str, **query: Any) -> Told:
        """Return what is at `path` as `get` does, with its ETag."""
        asked = {key: value for key, value in query.items() if value is not None}
        headers = self._who()
        return self._told(self._tried("GET", self._api(path), params=asked, headers=headers))

    def content(self, path: str, **query: Any) -> bytes:
        """Return the bytes of a download at `path` below api/v1/."""
        asked = {key: value for key, value in query.items() if value is not None}
        return self._tried("GET", self._api(path), params=asked, headers=self._who()).content

    def send(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send POST, PUT, PATCH or DELETE below api/v1/ and return the JSON answered.

        It is done once: sent again only when the catalog said that it did not look at it.
        """
        return self.tell(verb, path, body).body

    def change(
        self, verb: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[Any, int | None]:
        """Send as `send` does; return the answer, and the entry that undoes it if one was made."""
        told = self.tell(verb, path, body)
        return told.body, told.entry

    def tell(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        etag: str | None = None,
    ) -> Told:
        """Send as `send` does; with `etag` only if the record is still so, else Conflict."""
        headers = self._who()
        content = None
        if body is not None:
            content = _encoded(body)
            headers["Content-Type"] = "application/json"
        if etag is not None:
            headers["If-Match"] = etag
        return self._told(self._in_turn(verb, self._api(path), content=content, headers=headers))

    def read(self, url: str, *, verb: str = "GET", byte_range: str | None = None) -> httpx.Response:
        """Return what the data plane has at a ticket's address; no token is shown to it.

        `byte_range` is the value of a Range header. Raises NotLoggedIn when the ticket has ended.
        """
        headers = {"Accept-Encoding": "identity"}
        if byte_range is not None:
            headers["Range"] = byte_range
        response = self._tried(verb, self.absolute(url), headers=headers)
        counted.add(self._run, len(response.content))
        return response

    @contextmanager
    def streamed(self, url: str, start: int = 0) -> Iterator[Iterator[bytes]]:
        """Give the bytes at a ticket's address piece by piece, from `start` on."""
        try:
            headers = {"Accept-Encoding": "identity"}
            if start:
                headers["Range"] = f"bytes={start}-"
            with self._client().stream("GET", self.absolute(url), headers=headers) as response:
                if response.status_code >= 300:
                    response.read()
                    self._checked(response)
                if start and response.status_code != 206:
                    raise self._silent("a part was asked for, and all of it came")
                yield response.iter_bytes()  # as they come: what is kept back is lost in a break
                counted.add(self._run, response.num_bytes_downloaded)
        except httpx.TransportError as error:
            raise self._silent(error) from error

    def put(self, url: str, content: Iterator[bytes], headers: Mapping[str, str]) -> None:
        """Stream bytes to a write ticket's address, once."""
        self._once("PUT", self.absolute(url), content=content, headers=headers)

    def exchange(
        self,
        verb: str,
        url: str,
        headers: Mapping[str, str],
        content: Iterator[bytes] | None = None,
    ) -> httpx.Response:
        """Send a request to a ticket's address, once, and return the answer or raise by name."""
        return self._once(verb, self.absolute(url), headers=headers, content=content)

    def absolute(self, url: str) -> str:
        """Return the whole address of what the catalog names by path."""
        return urljoin(self.access.url, url)

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        while self._clients:
            self._clients.popitem()[1].close()

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return revived, (self.url, self._run)

    def __repr__(self) -> str:
        return f"<Session {self.url}>"

    def _client(self) -> httpx.Client:
        """Return this process's client: a forked child must not share its parent's sockets."""
        pid = os.getpid()
        client = self._clients.get(pid)
        if client is None:
            trusted = _trusted(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")))
            client = httpx.Client(
                timeout=TIMEOUT, limits=LIMITS, transport=self._transport, verify=trusted
            )
            client = self._clients.setdefault(pid, client)
            weakref.finalize(self, client.close)
        return client

    def _api(self, path: str) -> str:
        return f"{self.access.url}api/v1/{path}"

    def _who(self) -> dict[str, str]:
        return {
            "Authorization": self.access.authorization,
            "Accept": "application/json",
            "User-Agent": _agent(),
        }

    def _tried(self, verb: str, url: str, **how: Any) -> httpx.Response:
        for pause in PAUSES if self._pauses is None else self._pauses:
            try:
                return self._in_turn(verb, url, **how)
            except Unavailable:
                time.sleep(pause)
        return self._in_turn(verb, url, **how)

    def _in_turn(self, verb: str, url: str, **how: Any) -> httpx.Response:
        """Send, and again when it is this person's turn, after TooMany."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._once(verb, url, **how)
            except TooMany as error:
                if time.monotonic() + error.retry_after > deadline:
                    raise
                time.sleep(error.retry_after)

    def _once(self, verb: str, url: str, **how: Any) -> httpx.Response:
        try:
            return self._checked(self._client().request(verb, url, **how))
        except httpx.TransportError as error:
            raise self._silent(error) from error

    def _checked(self, response: httpx.Response) -> httpx.Response:
        status = response.status_code
        if status < 300:
            return response
        if status < 400:
            raise NotLoggedIn(f"the catalog at {self.url} asks to log in: your token has ended")
        if status in TRANSIENT and _json_of(response) is None:
            raise self._silent(f"{status} {response.reason_phrase}")
        instead = f"the catalog at {self.url} answered {status} {response.reason_phrase}"
        error = from_answer(status, _json_of(response), instead)
        if isinstance(error, TooMany):
            error.retry_after = _seconds(response.headers.get("Retry-After", ""))
        raise error

    def _told(self, response: httpx.Response) -> Told:
        entry = response.headers.get("CID-Entry", "")
        number = int(entry) if entry.isdecimal() else None
        return Told(self._json(response), response.headers.get("ETag"), number)

    def _json(self, response: httpx.Response) -> Any:
        if response.status_code == 204 or not response.content:
            return None
        answer = _json_of(response)
        if answer is None:
            raise Unavailable(f"{self.url} answers, but not as a catalog: is the address right?")
        return answer

    def _silent(self, why: Exception | str) -> Unavailable:
        reason = str(why) or type(why).__name__
        return Unavailable(f"the catalog at {self.url} does not answer: {reason}")


@lru_cache(maxsize=1)
def _agent() -> str:
    """Say what asks: a run keeps with what it was begun."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        release = version("jupyter-cid")
    except PackageNotFoundError:
        release = "unknown"
    return f"cid_client/{release} python/{platform.python_version()}"


@lru_cache
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Return whom TLS trusts, as these variables say; reading it takes longer than a request."""
    return httpx.create_ssl_context()


@lru_cache(maxsize=64)
def revived(url: str, run: str = "") -> Session:
    """Return this process's session with the catalog that was at `url` where it was pickled."""
    return Session(None, url=url, run=run)


def segment(text: str) -> str:
    """Return a name or uid as one segment of a path; BadInput when it is none."""
    return quote(given.text(text, "a name or uid"), safe="")


def below(text: str) -> str:
    """Return a relative path with its slashes kept."""
    return quote(text, safe="/")


def _seconds(told: str) -> float:
    return float(told) if told.isdecimal() else TooMany.retry_after


def _json_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, default=_plain, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise BadInput(f"this cannot be sent: {error}") from None


def _plain(value: Any) -> Any:
    """Return numpy's numbers as Python's own."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{given.shown(value)} is no number, text, list or mapping")
