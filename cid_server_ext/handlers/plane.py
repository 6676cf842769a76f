"""What all addresses of the data plane share: a ticket opens them, errors are told by name."""

from __future__ import annotations

import errno
import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any

from tornado import web
from tornado.iostream import StreamClosedError

from ..errors import CidError, NotAllowed, Unavailable
from ..storage.plane import DataPlane
from ..storage.tickets import Right
from .ranges import Unsatisfiable, wanted

PIECE = 1 << 20  # bytes read, or written, at once
WITH_BODY = ("PUT", "POST", "PATCH")

Method = Callable[..., Awaitable[None]]


def told(method: Method) -> Method:
    """Answer what was refused; a reader who went away is no error."""

    @functools.wraps(method)
    async def wrapped(self: PlaneHandler, *args: str) -> None:
        try:
            await method(self, *args)
        except CidError as error:
            self.refuse(error)
        except StreamClosedError:
            pass
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
            self.refuse(failing(error))

    return wrapped


def failing(error: OSError) -> Unavailable:
    """Return what is told of a disk that takes or gives no bytes."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unavailable("the storage is full: try later")
    return Unavailable("the storage cannot take or give these bytes now: try later")


class PlaneHandler(web.RequestHandler):
    """It needs nothing of the application but `settings["cid_data"]`."""

    past_end = ""  # Content-Range of a range that the file does not have

    @property
    def plane(self) -> DataPlane:
        """The storage and the signer."""
        plane: DataPlane = self.settings["cid_data"]
        return plane

    @property
    def line(self) -> Any:
        """The connection, as tornado's own server has it."""
        return self.request.connection

    def set_default_headers(self) -> None:
        """Stored bytes are data to a browser, whatever they hold."""
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")  # the address is the right to read

    def check_xsrf_cookie(self) -> None:
        """A cookie opens nothing here, so a foreign page can do nothing with one."""

    def compute_etag(self) -> str | None:
        """Ours are strong and made from the file; tornado's would hash what is sent."""
        return None

    def right(self, ticket: str, mode: str, late: float = 0) -> Right:
        """Return what the ticket opens in this mode; `late`: it may have ended so long ago."""
        right = self.plane.opened_by(ticket, late)
        if right.mode != mode:
            doing = {"r": "reading", "w": "writing", "d": "one download"}[right.mode]
            raise NotAllowed(f"this link is for {doing} only")
        return right

    def asked(self, nbytes: int) -> tuple[int, int]:
        """Return (start, stop) of what is sent of so many bytes, and say so in the headers."""
        try:
            part = wanted(self.request.headers.get("Range", ""), nbytes)
        except Unsatisfiable:
            self.past_end = f"bytes */{nbytes}"
            raise
        if part is None:
            return 0, nbytes
        self.set_status(206)
        self.set_header("Content-Range", f"bytes {part[0]}-{part[1] - 1}/{nbytes}")
        return part

    def dropped(self) -> None:
        """Let go of what was begun, because it is refused."""

    def told_too(self) -> None:
        """Set the headers that a refusal has besides."""
        if self.past_end:
            self.set_header("Content-Range", self.past_end)

    def refuse(self, error: CidError) -> None:
        """Answer an error of the tree as JSON; cut the answer when it has begun already."""
        self.dropped()
        if self._finished:
            return
        if self._headers_written:
            self.line.close()
            return
        self.clear()
        if self.request.method in WITH_BODY:
            self.set_header("Connection", "close")  # tornado reads no more of the body
        self.told_too()
        self.set_status(error.status)
        self.finish({"error": error.name, "message": str(error)})

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer what nobody foresaw, without its text."""
        name = {404: "NotFound", 405: "NotAllowed"}.get(status_code, "CidError")
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"error": name, "message": self._reason}))
