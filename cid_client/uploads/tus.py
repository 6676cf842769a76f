"""One large file on its way: sent by tus in parts, gone on with after whatever broke it off.

The catalog says how far the file is; nothing that arrived is sent again. What arrived is compared
by sha256 at the end.
"""

from __future__ import annotations

import base64
import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..errors import BadInput, Busy, CidError, Conflict, Gone, NotFound, NotLoggedIn, Unavailable
from ..wire.session import Session
from .items import PIECE, Part

LARGE = 16 << 20  # bytes from which a file goes this way
PART = 32 << 20  # bytes of one request at first, and after each break
LONGEST = 8  # times as many, on a line that goes well
QUICK = 5.0  # seconds of a part after which the next one is twice as long
FIRST, SLOWEST, GROWTH = 0.3, 15.0, 1.8  # seconds between tries
PATIENCE = 300.0  # seconds without one more byte there after which it is given up for now
VERSION = {"Tus-Resumable": "1.0.0"}
BODY = "application/offset+octet-stream"

Count = Callable[[int], None]


class Place(Protocol):
    """Where a deposit's files are sent: an address that is renewed when it ends."""

    def address(self, *, ended: bool = False) -> str:
        """Return a good address; `ended`: the one before was refused."""


def send(
    session: Session,
    place: Place,
    part: Part,
    count: Count,
    *,
    upload: str = "",
    begun: Callable[[str], None] = lambda upload: None,
    sha256: str = "",
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """Send one file, whole; return its sha256. `count` is told how many bytes are there.

    `upload` is one that was broken off, and `begun` is told of a new one. Raises BadInput when the
    file changes meanwhile, Unavailable when no byte more arrives for PATIENCE seconds.
    """
    return _Sending(session, place, part, count, begun, sha256).whole(upload, Patience(pause))


class Patience:
    """Waits ever longer between tries, until nothing went further for PATIENCE seconds."""

    def __init__(self, pause: Callable[[float], None] = time.sleep) -> None:
        self._pause = pause
        self.further()

    def further(self) -> None:
        """Something went further: begin with short waits again."""
        self._since, self._next = time.monotonic(), FIRST

    def wait(self) -> None:
        """Wait, or raise what is being handled: it has been too long."""
        if time.monotonic() - self._since > PATIENCE:
            raise
        self._pause(self._next * random.uniform(0.7, 1.0))
        self._next = min(self._next * GROWTH, SLOWEST)


class _Sending:
    """What is known of one file on its way."""

    def __init__(
        self,
        session: Session,
        place: Place,
        part: Part,
        count: Count,
        begun: Callable[[str], None],
        sha256: str,
    ) -> None:
        self.session, self.place, self.part = session, place, part
        self.count, self.begun, self.sha256 = count, begun, sha256
        self.state = _state(part.file)
        self.upload = ""
        self.width = PART
        self.hash = hashlib.sha256()
        self.hashed = 0

    def whole(self, upload: str, patience: Patience) -> str:
        """Send until all is there, through whatever breaks off."""
        self.upload = upload
        known: int | None = None  # the offset, where it need not be asked for
        most = -1
        while True:
            try:
                if known is None:
                    answer = self._asked() if self.upload else self._begun()
                else:
                    answer = self._sent(known)
                known = int(answer["Upload-Offset"])
                self.count(known)
                if known == self.part.nbytes:
                    return self._compared(answer.get("Repr-Digest", ""))
                if known > most:
                    most = known
                    patience.further()
            except CidError as error:
                if not self._can_go_on(error, known):
                    raise
                known, self.width = None, PART
                patience.wait()

    def _can_go_on(self, error: CidError, known: int | None) -> bool:
        """Return whether to ask how far the upload is, and go on, after this refusal."""
        if isinstance(error, NotLoggedIn):
            with suppress(Unavailable):  # it is asked again soon
                self.place.address(ended=True)
            return True
        if self.upload and error.status in (NotFound.status, Gone.status):
            self.upload = ""  # its time has passed: it begins anew
            return True
        if isinstance(error, Unavailable) or error.status == Busy.status:
            return True
        # the offset was another one: bytes arrived late
        return isinstance(error, Conflict) and known is not None

    def _begun(self) -> Mapping[str, str]:
        said = {"path": self.part.path, **({"sha256": self.sha256} if self.sha256 else {})}
        headers = {"Upload-Length": str(self.part.nbytes), "Upload-Metadata": _metadata(said)}
        answer = self.session.exchange("POST", self.place.address(), {**VERSION, **headers})
        self.upload = urlsplit(answer.headers["Location"]).path.rpartition("/")[2]
        self.begun(self.upload)
        return answer.headers

    def _asked(self) -> Mapping[str, str]:
        return self.session.exchange("HEAD", self._address(), VERSION).headers

    def _sent(self, offset: int) -> Mapping[str, str]:
        nbytes = min(self.width, self.part.nbytes - offset)
        headers = {
            **VERSION,
            "Content-Type": BODY,
            "Content-Length": str(nbytes),
            "Upload-Offset": str(offset),
        }
        body, began = self._body(offset, nbytes), time.monotonic()
        answer = self.session.exchange("PATCH", self._address(), headers, body)
        if time.monotonic() - began < QUICK:
            self.width = min(2 * self.width, LONGEST * PART)
        return answer.headers

    def _address(self) -> str:
        return f"{self.place.address()}.uploads/{self.upload}"

    def _body(self, offset: int, nbytes: int) -> Iterator[bytes]:
        """Yield the bytes of one request; the hash follows, where it is not behind."""
        end = offset + nbytes
        with self.part.file.open("rb") as file:
            file.seek(offset)
            while offset < end:
                piece = file.read(min(PIECE, end - offset))
                if not piece:
                    raise _changed(self.part)
                if not self.sha256 and offset <= self.hashed < offset + len(piece):
                    self.hash.update(memoryview(piece)[self.hashed - offset :])
                    self.hashed = offset + len(piece)
                yield piece
                offset += len(piece)
                self.count(offset)

    def _compared(self, there: str) -> str:
        """Return the sha256 of the file, which is that of what arrived, or raise BadInput."""
        if _state(self.part.file) != self.state:
            self._terminate()
            raise _changed(self.part)
        here = self.sha256 or self._digest()
        if there and there != f"sha-256=:{base64.b64encode(bytes.fromhex(here)).decode()}:":
            self._terminate()
            raise BadInput(f"{self.part.file} arrived damaged, or changed meanwhile: send it again")
        return here

    def _digest(self) -> str:
        with self.part.file.open("rb") as file:
            file.seek(self.hashed)
            while piece := file.read(PIECE):
                self.hash.update(piece)
                self.hashed += len(piece)
        return self.hash.hexdigest()

    def _terminate(self) -> None:
        with suppress(CidError):
            self.session.exchange("DELETE", self._address(), VERSION)


def _state(file: Path) -> tuple[int, int]:
    state = file.stat()
    return state.st_size, state.st_mtime_ns


def _changed(part: Part) -> BadInput:
    return BadInput(f"{part.file} changed while it was uploaded: wait until it is finished")


def _metadata(said: Mapping[str, Any]) -> str:
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in said.items())
