"""The bytes of a batch download, by its ticket: one ZIP that is made while it is sent.

It can be broken off and gone on with anywhere. Nothing is asked of the database, and nothing lies
on disk but the list of what is in it.
"""

from __future__ import annotations

import asyncio
import functools
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado.iostream import StreamClosedError

from ..errors import NotLoggedIn
from ..storage.downloads import Batch
from ..storage.tickets import Right
from ..storage.zipping import Changed
from .plane import PlaneHandler, told
from .ranges import matches

LOOK = 1.0  # seconds after which it is asked whether the ticket has ended
# what is made on the way takes its time, and nobody else's
SENDERS = ThreadPoolExecutor(8, thread_name_prefix="download")


class BatchHandler(PlaneHandler):
    """`data/<ticket>/.zip/<name>`: GET, HEAD."""

    gone = False

    @allow_unauthenticated
    @told
    async def get(self, ticket: str, name: str) -> None:
        """Send the archive, or one range of it."""
        await self._send(ticket, name, with_body=True)

    @allow_unauthenticated
    @told
    async def head(self, ticket: str, name: str) -> None:
        """Say what GET would send."""
        await self._send(ticket, name, with_body=False)

    async def _send(self, ticket: str, name: str, *, with_body: bool) -> None:
        loop = asyncio.get_running_loop()
        right = self.right(ticket, "d")
        uid = right.prefix.rpartition("/")[2]
        batch = await loop.run_in_executor(None, self.plane.batches.get, uid)
        self._still(right, batch)
        self.set_header("ETag", batch.etag)
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("Content-Type", "application/zip")
        called = quote(name, safe="")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{called}")
        if matches(self.request.headers.get("If-None-Match"), batch.etag):
            self.set_status(304)
            self.clear_header("Content-Type")
            return
        start, stop = 0, batch.layout.size
        if with_body and self.request.headers.get("If-Range", batch.etag) == batch.etag:
            start, stop = self.asked(stop)
        self.set_header("Content-Length", str(stop - start))
        if with_body:
            await self._stream(ticket, batch, start, stop)

    async def _stream(self, ticket: str, batch: Batch, start: int, stop: int) -> None:
        """Send bytes no faster than they are taken, for as long as there is a right to them."""
        loop = asyncio.get_running_loop()
        pieces = batch.layout.read(start, stop)
        take = functools.partial(next, pieces, None)
        looked, known = time.monotonic(), self.plane.revoked.lately()
        try:
            while (
                piece := await loop.run_in_executor(SENDERS, take)
            ) is not None and not self.gone:
                now = self.plane.revoked.lately()
                if now is not known or time.monotonic() - looked > LOOK:
                    self._still(self.plane.opened_by(ticket), batch)
                    looked, known = time.monotonic(), now
                if piece:
                    self.write(piece)
                    await self.flush()
        except (Changed, FileNotFoundError):  # the reader sees a cut answer
            self.line.close()
            raise StreamClosedError from None
        finally:
            pieces.close()

    def _still(self, right: Right, batch: Batch) -> None:
        """Raise NotLoggedIn when the right to one of its records was taken back."""
        moments = self.plane.revoked.lately()
        if any(right.since < moments.of(right.who, prefix) for prefix in batch.prefixes):
            raise NotLoggedIn("this link was taken back: ask the catalog for a new one")

    def on_connection_close(self) -> None:
        """Read no more for a reader who went away."""
        self.gone = True
