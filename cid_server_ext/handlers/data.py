"""The data plane: stored bytes out and staged bytes in, by ticket. It asks no database.

It needs nothing of the application but `settings["cid_data"]`, and no particular body size: an
upload is bounded by its ticket. Files that may be broken off and gone on with: `tus.py`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import errno
import functools
import os
import re
import stat
from urllib.parse import quote

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web
from tornado.iostream import StreamClosedError

from ..errors import BadInput, BytesChanged, NotFound
from ..storage.inplace import READING, Place, suspect
from ..storage.intake import Intake, refuse_shut
from ..storage.names import parts
from ..storage.tickets import Right
from .batches import BatchHandler
from .plane import PIECE, PlaneHandler, failing, told
from .ranges import matches
from .tus import tus_routes

INLINE = 64 << 10  # bytes; reading less than this is quicker than handing it to a thread
TYPES = {".json": "application/json", ".png": "image/png"}
STORE, THUMBNAIL = "image.ome.zarr/", "thumbnail.png"
SHOWN = (STORE, THUMBNAIL)  # all else is downloaded, never opened in a page
DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|$)")


@web.stream_request_body
class DataHandler(PlaneHandler):
    """`data/<ticket>/<path below the ticket's prefix>`: GET, HEAD, PUT."""

    intake: Intake | None = None
    waiting: bytearray
    prefix = ""
    digest = b""

    # --- out ----------------------------------------------------------------------------------

    @allow_unauthenticated
    @told
    async def get(self, ticket: str, path: str) -> None:
        """Send the file, or one range of it."""
        await self._send(ticket, path, with_body=True)

    @allow_unauthenticated
    @told
    async def head(self, ticket: str, path: str) -> None:
        """Say what GET would send."""
        await self._send(ticket, path, with_body=False)

    async def _send(self, ticket: str, path: str, *, with_body: bool) -> None:
        right = self.right(ticket, "r")
        handle = self._open(right, path)
        try:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                raise NotFound("nothing lies here")
            etag = f'"{state.st_size:x}-{state.st_mtime_ns:x}-{state.st_ino:x}"'
            self._describe(path, etag)
            if matches(self.request.headers.get("If-None-Match"), etag):
                self.set_status(304)
                self.clear_header("Content-Type")
                return
            start, stop = 0, state.st_size
            if with_body and self.request.headers.get("If-Range", etag) == etag:
                start, stop = self.asked(state.st_size)
            self.set_header("Content-Length", str(stop - start))
            if with_body:
                await self._stream(handle, start, stop, state if right.place else None)
        finally:
            os.close(handle)

    def _open(self, right: Right, path: str) -> int:
        try:
            if right.place is not None and path != THUMBNAIL:
                return self._open_in_place(right, right.place, path)
            return os.open(self.plane.root.path(f"{right.prefix}/{path}"), READING)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound("nothing lies here") from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise NotFound("nothing lies here") from None
            raise

    def _open_in_place(self, right: Right, place: Place, path: str) -> int:
        """Open what stays where it was; what is not what the ticket says is noted, and refused."""
        inside = path.removeprefix(STORE) if place.form == "tree" else ""
        if inside:
            parts(inside)  # as plain as any other key
        if path != (STORE + inside if place.form == "tree" else place.path.rpartition("/")[2]):
            raise NotFound("nothing lies here")
        try:
            return self.plane.roots.read_place(place, inside)
        except BytesChanged:
            suspect(self.plane.root.root, right.prefix.rpartition("/")[2], inside)
            raise

    def _describe(self, path: str, etag: str) -> None:
        self.set_header("ETag", etag)
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Cache-Control", "private, max-age=30")
        suffix = os.path.splitext(path)[1]
        self.set_header("Content-Type", TYPES.get(suffix, "application/octet-stream"))
        if not path.startswith(SHOWN):
            name = quote(path.rpartition("/")[2], safe="")
            self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{name}")

    async def _stream(self, handle: int, start: int, stop: int, was: os.stat_result | None) -> None:
        """Send bytes piece by piece, no faster than they are taken, while the file is as it was."""
        loop = asyncio.get_running_loop()
        while start < stop:
            width = min(PIECE, stop - start)
            if width <= INLINE:
                piece = os.pread(handle, width, start)
            else:
                piece = await loop.run_in_executor(None, os.pread, handle, width, start)
            if not piece:
                raise StreamClosedError  # shorter than a moment ago: the reader sees a cut answer
            if was is not None and os.fstat(handle).st_mtime_ns != was.st_mtime_ns:
                self.line.close()
                raise StreamClosedError  # somebody writes to it where it lies
            start += len(piece)
            self.write(piece)
            await self.flush()

    # --- in -----------------------------------------------------------------------------------

    @told
    async def prepare(self) -> None:
        """Decide on an upload before its first byte is read."""
        if self.request.method != "PUT":
            return
        ticket, path = self.path_args
        key = self._key(ticket, path, "w")
        right = self.plane.opened_by(ticket)
        nbytes, self.digest = self._announced()
        place = self.plane.root.path(key)
        refuse_shut(self.plane.root.path(right.prefix))
        self.plane.gauge.admit(right.prefix, nbytes, right.limit)
        try:
            self.intake = Intake(self.plane.root.path(right.prefix), place, nbytes)
        except BaseException:
            self.plane.gauge.release(right.prefix, nbytes)
            raise
        self.prefix, self.waiting = right.prefix, bytearray()
        self.line.set_max_body_size(nbytes)

    def _announced(self) -> tuple[int, bytes]:
        headers = self.request.headers
        if headers.get("Content-Encoding", "identity") != "identity":
            raise BadInput("send the bytes as they are, without Content-Encoding")
        length = headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,18}", length):
            raise BadInput("say how long the file is: Content-Length is missing")
        found = DIGEST.search(headers.get("Content-Digest", ""))
        if found is None:
            raise BadInput("send Content-Digest: sha-256=:<base64>: with the file (RFC 9530)")
        try:
            return int(length), base64.b64decode(found.group(1), validate=True)
        except binascii.Error:
            raise BadInput("the Content-Digest is not base64") from None

    async def data_received(self, chunk: bytes) -> None:
        """Take a part of the body; the next is read when this one is on its way to disk."""
        if self.intake is None:
            return
        self.waiting += chunk
        if len(self.waiting) >= PIECE:
            await self._write()

    async def _write(self) -> None:
        data, self.waiting = bytes(self.waiting), bytearray()
        assert self.intake is not None
        try:
            await asyncio.get_running_loop().run_in_executor(None, self.intake.write, data)
        except OSError as error:
            self.refuse(failing(error))

    @allow_unauthenticated
    @told
    async def put(self, ticket: str, path: str) -> None:
        """Keep what came, if it is what was announced."""
        if self.intake is None:
            return
        if self.waiting:
            await self._write()
        if self.intake is None:
            return
        keep = functools.partial(self.intake.keep, self.digest)
        sha256 = await asyncio.get_running_loop().run_in_executor(None, keep)
        nbytes, self.intake = self.intake.nbytes, None
        self.set_status(201)
        self.finish({"path": path, "nbytes": nbytes, "sha256": sha256})

    def on_connection_close(self) -> None:
        """The sender went away: nothing of it stays."""
        self.dropped()

    def on_finish(self) -> None:
        """Whatever was not kept is removed."""
        self.dropped()

    def dropped(self) -> None:
        """Remove what came of a file that is not kept."""
        if self.intake is not None:
            intake, self.intake = self.intake, None
            intake.discard()
            self.plane.gauge.release(self.prefix, intake.nbytes)

    # --- both ---------------------------------------------------------------------------------

    def _key(self, ticket: str, path: str, mode: str) -> str:
        return f"{self.right(ticket, mode).prefix}/{path}"


def data_routes() -> list[tuple[str, type[web.RequestHandler]]]:
    """Return the routes of the data plane, to be put below the service's base URL."""
    batch = (r"/data/([^/]+)/\.zip/([^/]+)", BatchHandler)
    return [*tus_routes(), batch, (r"/data/([^/]+)/(.+)", DataHandler)]
