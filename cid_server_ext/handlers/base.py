"""How every request is served: who asks, what they ask, one transaction, one border for errors."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from jupyter_server.base.handlers import APIHandler
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from tornado import web

from ..core.actor import Actor
from ..db.session import reading
from ..errors import BadInput, CidError, NotAllowed, NotFound, NotLoggedIn, Unavailable
from ..identity import actor_of, run_token
from ..services import Services

log = logging.getLogger(__name__)

# As many threads as the database has connections: a request waits for one, never for a pool.
WORKERS = ThreadPoolExecutor(8, thread_name_prefix="request")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as the core sees it. `after` runs once the transaction is committed."""

    session: Session
    actor: Actor
    services: Services
    body: Any = None
    query: Any = None
    after: list[Callable[[], None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the route table says of one verb; the API document and the matrix test read it."""

    summary: str
    who: str
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel] | None
    status: int


def endpoint(
    summary: str,
    *,
    who: str,
    answer: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    status: int = 200,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a verb of a handler from a function (self, ask, **path) that runs in a transaction."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def verb(self: CidHandler, **path: str) -> None:
            await self.serve(verb.endpoint, functools.partial(function, self), path)  # type: ignore[attr-defined]

        verb.endpoint = Endpoint(summary, who, body, query, answer, status)  # type: ignore[attr-defined]
        # serve() refuses whoever has no actor; jupyter-server need not ask for its own login
        verb.__allow_unauthenticated = True  # type: ignore[attr-defined]
        return verb

    return decorate


class CidHandler(APIHandler):
    """The base of all resources."""

    @property
    def services(self) -> Services:
        """Return what `app` put together."""
        return self.settings["cid"]

    def check_xsrf_cookie(self) -> None:
        """A run token travels in a header only we set, so there is no cookie to protect."""
        if run_token(self) is None:
            super().check_xsrf_cookie()

    async def serve(
        self, asked: Endpoint, function: Callable[..., Any], path: dict[str, str]
    ) -> None:
        """Read the request, run the function in a thread and a transaction, write its answer."""
        try:
            body = _parsed(asked.body, self._body() if asked.body else None)
            query = _parsed(asked.query, self._arguments() if asked.query else None)
            loop = asyncio.get_running_loop()
            work = functools.partial(self._transact, function, path, body, query)
            answer = await loop.run_in_executor(WORKERS, work)
        except CidError as error:
            self.refuse(error)
            return
        except (OperationalError, PoolTimeout) as error:
            log.warning("database: %s", type(error).__name__)
            self.set_header("Retry-After", "2")
            self.refuse(Unavailable("the database is busy: try again in a moment"))
            return
        self.set_status(asked.status)
        self.set_header("Cache-Control", "private, no-store")
        self.finish(json.dumps(answer, separators=(",", ":")))

    def _transact(
        self, function: Callable[..., Any], path: dict[str, str], body: Any, query: Any
    ) -> Any:
        sessions = self.services.sessions
        actor = actor_of(self, sessions)
        after: list[Callable[[], None]] = []
        # what staff reads is logged, so even a GET of theirs writes
        only_reads = self.request.method in ("GET", "HEAD") and not actor.staff
        with reading(sessions) if only_reads else sessions.begin() as session:
            ask = Ask(session, actor, self.services, body, query, after)
            answer = function(ask, **path)
            if isinstance(answer, BaseModel):
                session.flush()
                answer = answer.model_dump(mode="json")
        for step in after:
            step()
        return answer

    def _body(self) -> Any:
        try:
            return json.loads(self.request.body or b"{}")
        except ValueError:
            raise BadInput("the body is not JSON") from None

    def _arguments(self) -> dict[str, str]:
        return {name: self.get_query_argument(name) for name in self.request.query_arguments}

    def refuse(self, error: CidError) -> None:
        """Write one error of the tree."""
        self.set_status(error.status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"error": error.name, "message": str(error)}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write what jupyter-server or a defect raised; a defect's text is not sent."""
        cause = (kwargs.get("exc_info") or (None, None))[1]
        message = getattr(cause, "log_message", None) or self._reason
        if status_code >= 500:
            reference = uuid.uuid4().hex[:8]
            log.error("internal error %s: %s", reference, type(cause).__name__)
            message = f"internal error; tell staff the reference {reference}"
        name = _NAMES.get(status_code, CidError).__name__
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"error": name, "message": message}))

    def get_login_url(self) -> str:
        """An API answers 401; it sends nobody to a login page."""
        raise web.HTTPError(401, "log in first")


class Unknown(CidHandler):
    """Any other path below the API."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse without asking who it is."""
        self.refuse(NotFound("no such address: see openapi.json"))


_NAMES = {400: BadInput, 401: NotLoggedIn, 403: NotAllowed, 404: NotFound, 503: Unavailable}


def _parsed(model: type[BaseModel] | None, raw: Any) -> Any:
    if model is None:
        return None
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(f"{where}: {first['msg'].lower()}") from None
