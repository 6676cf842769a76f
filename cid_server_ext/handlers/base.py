"""How every request is served: who asks, what they ask, one transaction, one border for errors."""

from __future__ import annotations

import functools
import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler
from pydantic import BaseModel
from tornado import web

from ..db import capture
from ..errors import BadInput, CidError, Conflict, NotFound, NotLoggedIn, TooLarge
from ..identity import actor_of, run_token
from ..services import Services
from . import etags, lanes, reading, refusals
from .ask import Ask as Ask
from .ask import transact
from .download import Download
from .endpoints import LARGEST, Endpoint
from .endpoints import endpoint as endpoint

log = logging.getLogger(__name__)

DRAINED = 4 << 20  # bytes of a refused body that are read, so that its sender hears the refusal


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; nothing when the caller has it already."""

    body: bytes
    etag: str | None = None
    known: bool = False
    media: str = "application/json"
    disposition: str | None = None


@web.stream_request_body
class CidHandler(APIHandler):
    """The base of all resources."""

    refused: CidError | None = None  # said when the body has been read
    largest = LARGEST

    def initialize(self, tagged: etags.Tagged | None = None) -> None:
        """Keep whose ETag a change at this address may name; the route table knows."""
        self.tagged = tagged
        self.came: list[bytes] = []
        self.wrote: int | None = None  # the journal's number of what this request changed
        self.said: int | None = None  # and of the last entry that it made
        self.nbytes = 0

    @property
    def services(self) -> Services:
        """Return what `app` put together."""
        return self.settings["cid"]

    # --- before the body ----------------------------------------------------------------------

    async def prepare(self) -> None:  # type: ignore[override]
        """Decide before the body is read whether it will be."""
        verb = "get" if self.request.method == "HEAD" else self.request.method.lower()
        declared = getattr(getattr(self, verb), "endpoint", None)
        if declared is None and self.request.method != "OPTIONS":
            return  # tornado answers 405
        try:
            await super().prepare()
            if declared is not None:
                self._admit(declared)
                await self._be_known()
        except web.HTTPError as error:
            self.refused = refusals.of_framework(error)
        except CidError as error:
            self.refused = error
        if self.refused and self._announced() > self.largest + DRAINED:
            self._cut(self.refused)

    def check_xsrf_cookie(self) -> None:
        """A run token travels in a header only we set, so there is no cookie to protect."""
        if run_token(self) is None:
            super().check_xsrf_cookie()

    def _admit(self, declared: Endpoint) -> None:
        token = run_token(self)
        if self.current_user is None and token is None:
            raise NotLoggedIn("log in first: send a hub token or open the hub's page")
        self.services.rates.take(token or self.current_user.username)
        self.largest = declared.largest
        if self.request.headers.get("Content-Encoding", "identity") != "identity":
            raise BadInput("Content-Encoding: send the body as it is")
        if self._announced() > self.largest:
            raise self._too_large()

    async def _be_known(self) -> None:
        """Take no large body from whoever shows a run token that opens nothing."""
        if run_token(self) is not None and self.largest > LARGEST:
            sessions, largest, self.largest = self.services.sessions, self.largest, LARGEST
            await lanes.quick(lambda: refusals.named(lambda: actor_of(self, sessions)))
            self.largest = largest

    def _announced(self) -> int:
        length = self.request.headers.get("Content-Length", "")
        return int(length) if length.isdecimal() else 0

    def data_received(self, chunk: bytes) -> None:
        """Keep a part of the body; drop what is too much, and in the end the connection."""
        self.nbytes += len(chunk)
        if self.nbytes > self.largest:
            self.refused = self.refused or self._too_large()
        if self.refused is None:
            self.came.append(chunk)
            return
        self.came.clear()
        if self.nbytes > self.largest + DRAINED and not self._finished:
            self._cut(self.refused)

    def _cut(self, error: CidError) -> None:
        """Refuse while the body is still coming: tornado then ends the connection."""
        self.set_header("Connection", "close")
        self.refuse(error)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"a body here has at most {self.largest} bytes")

    @allow_unauthenticated
    async def head(self, **path: str) -> None:
        """Answer as GET does, by the same rights; tornado leaves the body out."""
        await self.get(**path)

    # --- with it ------------------------------------------------------------------------------

    async def serve(
        self, asked: Endpoint, function: Callable[..., Any], path: dict[str, str]
    ) -> None:
        """Read the request, run the function in a thread and a transaction, write its answer."""
        try:
            if self.refused is not None:
                raise self.refused
            work = functools.partial(self._work, asked, function, path)
            lane = lanes.quick if self.request.method in ("GET", "HEAD") else lanes.change
            limit = self.services.settings.search_seconds
            answer = await (lanes.costly(work, limit) if asked.costly else lane(work))
        except CidError as error:
            self.refuse(error)
            return
        self.set_header("Cache-Control", "private, no-store")
        if self.wrote is not None:
            self.set_header("CID-Entry", str(self.wrote))
        if answer.etag is not None:
            named = self.tagged is not None and self.tagged.names  # no entry stands for a list
            entry = (self.wrote or self.said) if named else None
            self.set_header("ETag", etags.later(answer.etag, entry))
        if answer.disposition is not None:
            self.set_header("Content-Disposition", answer.disposition)
        self.set_status(304 if answer.known else asked.status)
        self.finish(None if answer.known else answer.body, set_content_type=answer.media)

    def _work(
        self,
        asked: Endpoint,
        function: Callable[..., Any],
        path: dict[str, str],
        seconds: float | None = None,
    ) -> Answer:
        """Do in a thread what takes time: read, ask the core, shape."""
        for name, value in path.items():
            reading.fit(value, name)
        body = asked.body and reading.body(asked.body, b"".join(self.came))
        query = asked.query and reading.query(asked.query, self.request.query_arguments)
        what = f"{self.request.method} {self.request.path.partition('/api/v1/')[2]}"
        work = functools.partial(self._in_transaction, asked, function, path)
        return refusals.named(
            lambda: transact(
                self, self.services, what, body, query, work, seconds, reads=asked.reads
            )
        )

    def _in_transaction(
        self, asked: Endpoint, function: Callable[..., Any], path: dict[str, str], ask: Ask
    ) -> Answer:
        headers, reads = self.request.headers, self.request.method in ("GET", "HEAD")
        if_match = None if reads else headers.get("If-Match")
        if not reads:
            ask.after.append(lambda: self._remember(ask))
        with etags.unchanged(ask, self, self.tagged, path, if_match):
            answer = function(ask, **path)
            if isinstance(answer, BaseModel):
                ask.session.flush()
        if isinstance(answer, Download):
            return Answer(answer.content, media=answer.media, disposition=answer.disposition)
        if not isinstance(answer, BaseModel):
            return Answer(json.dumps(answer, separators=(",", ":")).encode())
        body = answer.model_dump_json().encode()
        tagged = self.tagged
        if tagged is None or self.request.method == "POST" or not tagged.told_by(asked.answer):
            return Answer(body)
        etag = etags.made(ask, tagged, path, answer.model_dump(mode="json"))
        known = reads and not asked.passing and etags.seen(headers.get("If-None-Match"), etag)
        return Answer(body, etag, known)

    def _remember(self, ask: Ask) -> None:
        self.wrote, self.said = capture.written(ask.session), capture.said(ask.session)

    # --- refusals -----------------------------------------------------------------------------

    def compute_etag(self) -> str | None:
        """Ours say when something changed; tornado's would with every new ticket."""
        return None

    def refuse(self, error: CidError) -> None:
        """Write one error of the tree."""
        self.set_status(error.status)
        if error.retry_after is not None:
            self.set_header("Retry-After", str(error.retry_after))
        told: dict[str, Any] = {"error": error.name, "message": str(error)}
        if isinstance(error, Conflict) and error.changed is not None:
            told["changed"] = error.changed
        if isinstance(error, BadInput) and error.fields:
            told["fields"] = error.fields
        self.set_header("Cache-Control", "private, no-store")
        self.finish(json.dumps(told))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write what jupyter-server or a defect raised; a defect's text is not sent."""
        cause = (kwargs.get("exc_info") or (None, None))[1]
        message = refusals.said(cause) if isinstance(cause, web.HTTPError) else self._reason
        if status_code >= 500:
            reference = uuid.uuid4().hex[:8]
            log.error("internal error %s: %s", reference, type(cause).__name__)
            message = f"internal error; tell staff the reference {reference}"
        if status_code == 405:
            verbs = ("get", "post", "put", "patch", "delete")
            served = [v.upper() for v in verbs if hasattr(getattr(self, v), "endpoint")]
            also = ["HEAD", "OPTIONS"] if "GET" in served else ["OPTIONS"]
            self.set_header("Allow", ", ".join([*served, *also]))
        name = refusals.BY_STATUS.get(status_code, CidError).__name__
        self.finish(json.dumps({"error": name, "message": message}))

    def get_login_url(self) -> str:
        """An API answers 401; it sends nobody to a login page."""
        raise web.HTTPError(401, "log in first")


class Unknown(CidHandler):
    """Any other path below the API."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Nobody is asked who it is."""

    @allow_unauthenticated
    async def absent(self) -> None:
        """Refuse."""
        self.refuse(NotFound("no such address: see openapi.json"))

    get = head = post = put = patch = delete = absent
