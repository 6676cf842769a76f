"""Resumable uploads: tus 1.0.0 below a write ticket, by tickets and files alone.

    POST, OPTIONS            data/<ticket>/                opens an upload
    HEAD, PATCH, DELETE      data/<ticket>/.uploads/<id>   how far it is, more of it, no more of it

Extensions: creation, creation-with-upload, expiration, checksum, termination. Any write ticket of
the same deposit opens the same uploads. `Upload-Metadata` names the file (`path` or `filename`) and
may say its `sha256`; what is complete answers with its `Repr-Digest` (RFC 9530).
"""

from __future__ import annotations

import functools
import re
import time
from pathlib import Path

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web

from ..errors import BadInput, Busy, Conflict, NotLoggedIn, OverQuota, WrongType
from ..storage import arriving, uploads
from ..storage.intake import refuse_shut
from ..storage.uploads import Said, Upload
from .arriving import TusHandler, in_thread
from .plane import told
from .tus_headers import BODY, metadata, whole

SINCE_ITS_LAST_BYTE = 300  # seconds an upload's address outlives its ticket: < revoked.KEPT


class NewUpload(TusHandler):
    """data/<ticket>/: POST, OPTIONS."""

    upload: Upload

    def entered(self) -> None:
        """A write ticket opens it."""
        self.writable = self.right(self.path_args[0], "w")

    async def decide(self) -> None:
        """Admit what is announced to the ticket's room."""
        if self.request.method != "POST":
            return
        said, right, root = self._said(), self.writable, self.plane.root
        prefix, place = root.path(right.prefix), root.path(f"{right.prefix}/{said.path}")
        refuse_shut(prefix)
        headers = self.request.headers
        with_body = headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers
        if with_body and headers.get("Content-Type") != BODY:
            raise WrongType(f"send bytes with Content-Type: {BODY}, or no bytes")
        admit = functools.partial(self.plane.gauge.admit, right.prefix, said.nbytes, right.limit)
        try:
            await in_thread(admit)
        except OverQuota:
            freed = await in_thread(functools.partial(arriving.make_way, prefix, place))
            if not freed:
                raise
            self.plane.gauge.release(right.prefix, freed)
            await in_thread(admit)
        try:
            self.upload = await in_thread(functools.partial(uploads.begin, prefix, place, said))
            await self.take(self.upload, 0)
        except BaseException:
            self.plane.gauge.release(right.prefix, said.nbytes)
            if hasattr(self, "upload"):
                uploads.remove(self.upload)
            raise

    def _said(self) -> Said:
        headers = self.request.headers
        if "Upload-Defer-Length" in headers:
            raise BadInput("say Upload-Length: an upload whose length is not known is not taken")
        if "Upload-Concat" in headers:
            raise BadInput("uploads are not concatenated here: send the file as one")
        nbytes = whole(headers.get("Upload-Length", ""), "Upload-Length")
        raw = headers.get("Upload-Metadata", "")
        told = metadata(raw)
        path = told.get("path") or told.get("filename")
        if not path:
            raise BadInput("name the file: Upload-Metadata has no path and no filename")
        sha256 = told.get("sha256", "").lower()
        if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise BadInput("the sha256 of Upload-Metadata is not 64 hexadecimal digits")
        return Said(path, nbytes, sha256, raw)

    @allow_unauthenticated
    @told
    async def post(self, ticket: str) -> None:
        """Answer where the upload is, and how far it got."""
        await self.taken()
        if self._finished:
            return
        self.set_status(201)
        self.set_header("Location", f"{self.request.path.rstrip('/')}/.uploads/{self.upload.uid}")
        self.say(self.upload)
        self.finish()

    @allow_unauthenticated
    @told
    async def options(self, ticket: str) -> None:
        """Say what is spoken here."""
        self.offer()


class OneUpload(TusHandler):
    """data/<ticket>/.uploads/<id>: HEAD, PATCH, DELETE, OPTIONS."""

    def entered(self) -> None:
        """A write ticket opens it; an upload under way outlives the ticket it was begun with."""
        ticket, uid = self.path_args
        try:
            self.writable = self.right(ticket, "w")
        except NotLoggedIn:
            self.writable = self.right(ticket, "w", late=uploads.LIFETIME)
            if time.time() - self._found(uid).touched > SINCE_ITS_LAST_BYTE:
                raise

    async def decide(self) -> None:
        """A part must begin where the upload ends. Nothing changes once the import has begun."""
        if self.request.method in ("PATCH", "DELETE"):
            refuse_shut(self.plane.root.path(self.writable.prefix))
        if self.request.method != "PATCH":
            return
        headers, upload = self.request.headers, self._found(self.path_args[1])
        if headers.get("Content-Type") != BODY:
            raise WrongType(f"send Content-Type: {BODY}")
        at = whole(headers.get("Upload-Offset", ""), "Upload-Offset")
        if upload.sha256 and at == upload.said.nbytes:
            return  # nothing is missing, and nothing is taken
        await self.take(upload, at)

    @allow_unauthenticated
    @told
    async def head(self, ticket: str, uid: str) -> None:
        """Say how far the upload is. Busy: it is complete, and being put in its place."""
        self.admitted()
        upload = self._found(uid)
        try:
            await in_thread(functools.partial(arriving.settle, upload, self.plane.hashes))
        except Busy:
            raise
        except Conflict:
            pass  # it was finished meanwhile
        self.say(upload)
        self.set_header("Upload-Length", str(upload.said.nbytes))
        if upload.said.metadata:
            self.set_header("Upload-Metadata", upload.said.metadata)
        self.set_status(200)

    @allow_unauthenticated
    @told
    async def patch(self, ticket: str, uid: str) -> None:
        """Answer how far the upload is with this part."""
        await self.taken()
        if self._finished:
            return
        self.set_status(204)
        self.say(self._found(uid))
        self.finish()

    @allow_unauthenticated
    @told
    async def delete(self, ticket: str, uid: str) -> None:
        """Remove the upload, and its file if it was complete."""
        self.admitted()
        upload = self._found(uid)
        await in_thread(functools.partial(uploads.remove, upload))
        self.plane.gauge.release(self.writable.prefix, upload.said.nbytes)
        self.set_status(204)
        self.finish()

    @allow_unauthenticated
    @told
    async def options(self, ticket: str, uid: str) -> None:
        """Say what is spoken here."""
        self.offer()

    def _found(self, uid: str) -> Upload:
        prefix: Path = self.plane.root.path(self.writable.prefix)
        return uploads.find(prefix, uid)


def tus_routes() -> list[tuple[str, type[web.RequestHandler]]]:
    """Return the routes of uploads, to be put before those of stored files."""
    return [
        (r"/data/([^/]+)/?", NewUpload),
        (r"/data/([^/]+)/\.uploads/([0-9a-f]{32})", OneUpload),
    ]
