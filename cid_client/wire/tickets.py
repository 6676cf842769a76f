"""The right to read one record's bytes for a minute, renewed for as long as it lasts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import httpx

from ..errors import NotFound, NotLoggedIn
from .session import Session


class Ticket:
    """An address in the data plane that its record gives anew when it has ended.

    `path` is the record's path in the API, `field` the record's field that holds the address.
    Threads share one ticket; one of them renews it for all. When the right itself has gone, the
    catalog's own error is raised.
    """

    def __init__(
        self, session: Session, path: str, field: str, record: Mapping[str, Any] | None = None
    ) -> None:
        self.session = session
        self.path = path
        self.field = field
        self._lock = threading.Lock()
        self._url: str | None = (record or {}).get(field)

    @property
    def url(self) -> str:
        """The address, whose ticket may have ended."""
        return self._url or self.renewed(None)

    def renewed(self, ended: str | None) -> str:
        """Return an address whose ticket is younger than the one that has `ended`."""
        with self._lock:
            if self._url is None or self._url == ended:
                self._url = self.session.get(self.path).get(self.field)
            if not self._url:
                self._url = None
                raise NotFound(f"{self.path} has no {self.field}")
            return self._url

    def find(
        self, below: str = "", *, verb: str = "GET", byte_range: str | None = None
    ) -> httpx.Response | None:
        """Return the answer for a path below the ticket, or None where nothing is stored.

        A ticket that has ended is renewed once. A record that has gone is the catalog's NotFound
        and never None: a missing image must not look like a missing chunk, which is background.
        """
        url = self.url
        try:
            return self._find(url + below, verb, byte_range)
        except NotLoggedIn:
            return self._find(self.renewed(url) + below, verb, byte_range)

    def read(self) -> bytes:
        """Return the bytes at the ticket's own address, or raise NotFound."""
        found = self.find()
        if found is None:
            raise NotFound(f"the {self.field} of {self.path} is not in storage")
        return found.content

    def streamed(self) -> AbstractContextManager[Iterator[bytes]]:
        """Give the bytes piece by piece below a ticket that was made just now."""
        return self.session.streamed(self.renewed(self._url))

    def _find(self, url: str, verb: str, byte_range: str | None) -> httpx.Response | None:
        try:
            return self.session.read(url, verb=verb, byte_range=byte_range)
        except NotFound:
            return None
