"""A request of tus whose body becomes bytes of an upload, no faster than the disk takes them."""

from __future__ import annotations

import asyncio
import base64
import copy
import functools
import time
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from typing import TypeVar

from tornado import web

from ..errors import BadInput, Busy, CidError, Conflict, OtherVersion, TooLarge
from ..storage import uploads
from ..storage.arriving import Writing
from ..storage.tickets import Right
from ..storage.uploads import Upload
from .plane import PIECE, PlaneHandler, failing, told
from .straight import Straight
from .tus_headers import CHECKSUMS, EXTENSIONS, VERSION, checksum, whole

QUIET = 3.0  # seconds without a byte after which a sender gives way to one who waits
LOST = 120.0  # seconds without a byte after which a sender is taken for dead
TURN = 8.0  # seconds to wait for one's turn
BEAT = 0.2
BUFFER = 2 * PIECE  # bytes that come while as many are written: few threads wait for each other
T = TypeVar("T")


@web.stream_request_body
class TusHandler(PlaneHandler):
    """What both addresses share: the protocol's headers, and a body that becomes bytes on disk."""

    writing: Writing | None = None
    refusal: CidError | None = None
    straight: Straight | None = None
    writable: Right

    def set_default_headers(self) -> None:
        """Every answer says the version."""
        super().set_default_headers()
        self.set_header("Tus-Resumable", VERSION)

    @told
    async def prepare(self) -> None:
        """Decide on a request before the first byte of its body is read."""
        instead = self.request.headers.get("X-HTTP-Method-Override", "").upper()
        if instead in self.SUPPORTED_METHODS:
            self.request.method = instead
        self._waiting: list[bytes | memoryview] = []
        self._waits, self._pending = 0, _done()
        self._turn, self._heard, self._ending = asyncio.Lock(), time.monotonic(), False
        self.checksum: tuple[str, bytes] | None = None
        try:
            self.entered()
            if self.request.method != "OPTIONS":
                self._speaks()
                await self.decide()
        except CidError as error:
            length = self.request.headers.get("Content-Length", "0")
            endless = "Transfer-Encoding" in self.request.headers
            if endless or not length.isdecimal() or int(length) > PIECE:
                raise
            # a small body is read before it is refused: closing on it would lose the answer
            self.refusal = error
            self.line.set_max_body_size(PIECE)

    def admitted(self) -> None:
        """Raise why the request is refused, if it is."""
        if self.refusal is not None:
            raise self.refusal

    def _speaks(self) -> None:
        if self.request.headers.get("Tus-Resumable") != VERSION:
            raise OtherVersion(f"send Tus-Resumable: {VERSION}: no other version is spoken here")

    def entered(self) -> None:
        """Raise NotLoggedIn or NotAllowed unless the ticket opens this address."""

    async def decide(self) -> None:
        """Take what is announced, or raise."""

    def told_too(self) -> None:
        """Name the version that is spoken, to whoever speaks another."""
        self.set_header("Tus-Version", VERSION)

    # --- the body -----------------------------------------------------------------------------

    async def take(self, upload: Upload, at: int) -> None:
        """Begin to write the body at this offset. Busy, Conflict, TooLarge: it cannot be taken."""
        headers = self.request.headers
        if headers.get("Content-Encoding", "identity") != "identity":
            raise BadInput("send the bytes as they are, without Content-Encoding")
        room = upload.said.nbytes - at
        if room < 0:
            raise Conflict(f"the upload has {upload.said.nbytes} bytes in all: ask for its offset")
        coming = whole(headers.get("Content-Length", "0"), "Content-Length")
        if coming > room:
            raise TooLarge(f"{room} bytes of this upload are missing, and more would come")
        self.checksum = checksum(headers.get("Upload-Checksum", ""))
        name = self.checksum[0] if self.checksum else ""
        self.writing = await self._lock(functools.partial(Writing, upload, self.plane.hashes, name))
        if self.writing.offset != at:
            there = self.writing.offset
            await self._leave()
            raise Conflict(f"the offset of this upload is {there}, not {at}: go on there")
        self.line.set_max_body_size(room + PIECE)  # of what has no length, `write` takes no more
        if "Transfer-Encoding" not in headers:
            self.line.params = copy.copy(self.line.params)  # of this request alone
            self.line.params.chunk_size = BUFFER
            self.line.stream = self.straight = Straight(self.line.stream, min(coming, BUFFER))
        asyncio.get_running_loop().call_later(BEAT, self._watch)

    async def _lock(self, take: functools.partial[Writing]) -> Writing:
        """Wait for whoever writes and is heard of no more; Busy when he is alive."""
        until = time.monotonic() + TURN
        while True:
            try:
                return await in_thread(take)
            except Busy:
                if time.monotonic() > until:
                    raise
                await in_thread(functools.partial(uploads.want, take.args[0]))
                await asyncio.sleep(BEAT)

    def _watch(self) -> None:
        """Hang up on a sender who fell silent when somebody waits, or whose right has ended."""
        if self.writing is None or self._ending:
            return
        silent = time.monotonic() - self._heard
        wanted = silent > QUIET and self.writing.is_wanted()
        if wanted or silent > LOST or not self.plane.holds(self.writable):
            self.line.stream.close()
            return
        asyncio.get_running_loop().call_later(BEAT, self._watch)

    async def data_received(self, chunk: bytes | memoryview) -> None:
        """Take a part of the body: some is written while more comes."""
        self._heard = time.monotonic()
        if self.writing is None:
            return
        self._waiting.append(chunk)
        self._waits += len(chunk)
        if self._waits >= (PIECE if self._pending.done() else BUFFER):
            try:
                await self._write()
            except (CidError, OSError) as error:
                await self._leave()
                self.refuse(error if isinstance(error, CidError) else failing(error))

    async def _write(self, *, all: bool = False) -> None:
        async with self._turn:
            await self._pending
            pieces, self._waiting, self._waits = self._waiting, [], 0
            if self.straight is not None:
                self.straight.turn()
            if pieces and self.writing is not None:
                self._pending = in_thread(functools.partial(self.writing.write, *pieces))
                if all:
                    await self._pending

    def on_connection_close(self) -> None:
        """The sender went away: what came stays, for him to go on."""
        super().on_connection_close()
        if self.writing is not None and not self._ending:
            self._gone = asyncio.ensure_future(self._leave(broken=True))

    async def _leave(self, *, broken: bool = False) -> None:
        if broken:
            with suppress(CidError, OSError):  # what the disk took stays
                await self._write(all=True)
        async with self._turn:
            writing, self.writing = self.writing, None
            if writing is not None:
                await asyncio.wait([self._pending])
                self._pending.exception()  # told to the sender, if he is still there
                await in_thread(writing.leave)
            self._waiting = []
            if self.straight is not None:
                self.straight.let_go()

    async def taken(self) -> None:
        """Have the whole body on disk, verified, and the file in place if it is complete."""
        self._ending = True
        self.admitted()
        try:
            await self._write(all=True)
            if self.writing is None:
                return
            if self.checksum is not None:
                await in_thread(functools.partial(self.writing.verify, self.checksum[1]))
            if self.writing.offset == self.writing.upload.said.nbytes:
                await in_thread(self.writing.finish)
        finally:
            await self._leave()

    def offer(self) -> None:
        """Answer OPTIONS."""
        self.admitted()
        self.set_status(204)
        self.set_header("Tus-Version", VERSION)
        self.set_header("Tus-Extension", EXTENSIONS)
        self.set_header("Tus-Checksum-Algorithm", ",".join(CHECKSUMS))
        self.set_header("Tus-Max-Size", str(self.writable.limit))
        self.finish()

    def say(self, upload: Upload) -> None:
        """Set the headers that say how an upload stands."""
        sha256 = upload.sha256
        self.set_header("Upload-Offset", str(upload.said.nbytes if sha256 else upload.offset))
        if sha256:
            digest = base64.b64encode(bytes.fromhex(sha256)).decode()
            self.set_header("Repr-Digest", f"sha-256=:{digest}:")
        else:
            self.set_header("Upload-Expires", formatdate(upload.expires, usegmt=True))


def _done() -> asyncio.Future[None]:
    nothing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    nothing.set_result(None)
    return nothing


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Have work done off the loop that serves everybody."""
    return asyncio.get_running_loop().run_in_executor(None, work)
