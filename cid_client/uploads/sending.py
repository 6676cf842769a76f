"""All files of one deposit on their way, several at a time: small ones whole, large ones by tus."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from ..errors import Conflict, NotLoggedIn, Unavailable
from ..wire.session import Session, below
from . import tus
from .items import Part, digest, pieces
from .unfinished import Unfinished

Progress = Callable[[float, str], None]

AT_ONCE = 3  # files on their way at the same time
BEAT = 0.1  # seconds between two reports of progress
TICKET_IS_OLD = 30.0  # seconds; write tickets live at least twice as long


class Stopped(Exception):
    """Somebody else failed, or Ctrl-C: this file is left where it is."""


class Place:
    """Where a deposit's files are sent; threads share it."""

    def __init__(self, session: Session, where: str, opened: Mapping[str, Any]) -> None:
        self._session, self._where = session, where
        self._address, self._since = _address(opened), time.monotonic()
        self._lock = threading.Lock()

    def address(self, *, ended: bool = False) -> str:
        """Return a good address, a fresh one in time. Conflict: the deposit takes no more."""
        with self._lock:
            old = time.monotonic() - self._since > (1.0 if ended else TICKET_IS_OLD)
            if old or ended:
                self._address = _address(self._session.get(self._where))
                self._since = time.monotonic()
            return self._address


@dataclass
class Far:
    """How far the files of a deposit are; `stop` ends whoever reports to it."""

    total: int
    sent: dict[str, int] = field(default_factory=dict)
    name: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def counter(self, part: Part) -> Callable[[int], None]:
        """Return what a part tells how many of its bytes are sent."""

        def count(nbytes: int) -> None:
            self.sent[part.path] = nbytes
            self.name = part.file.name
            self.check()

        return count

    def check(self) -> None:
        """Raise Stopped when nobody wants this any more."""
        if self.stop.is_set():
            raise Stopped

    def pause(self, seconds: float) -> None:
        """Wait, unless it is stopped meanwhile."""
        self.stop.wait(seconds)
        self.check()

    @property
    def fraction(self) -> float:
        """How much of all bytes is sent."""
        return min(sum(list(self.sent.values())) / self.total, 1.0) if self.total else 1.0


def send_all(
    session: Session,
    place: Place,
    parts: list[Part],
    tell: Progress,
    memory: Unfinished,
    at_once: int = AT_ONCE,
) -> None:
    """Send every part, or raise what the first one to fail raised. `tell` is called from here."""
    far = Far(sum(part.nbytes for part in parts))
    left = [part for part in parts if part.path not in memory.done]
    far.sent.update({part.path: part.nbytes for part in parts if part.path in memory.done})
    coming, turn = iter(left), threading.Lock()

    def work() -> None:
        while True:
            with turn:
                part = next(coming, None)
            if part is None:
                return
            far.check()
            _send(session, place, part, far, memory)
            far.sent[part.path] = part.nbytes
            memory.note_done(part.path)

    most = 0.0
    with ThreadPoolExecutor(at_once, thread_name_prefix="upload") as pool:
        try:
            working = {pool.submit(work) for _ in range(min(at_once, len(left)))}
            while working:
                ended, working = wait(working, timeout=BEAT, return_when=FIRST_EXCEPTION)
                most = max(most, far.fraction)
                tell(most, f"sending {far.name}" if far.name else "sending")
                _raise_first(ended)
        finally:
            far.stop.set()


def _send(session: Session, place: Place, part: Part, far: Far, memory: Unfinished) -> None:
    if part.nbytes < tus.LARGE:
        return _put(session, place, part, far)
    begun = memory.begun.get(part.path, "")
    note = memory.noting(part.path)
    tus.send(
        session,
        place,
        part,
        far.counter(part),
        upload=begun,
        begun=note,
        sha256=part.sha256,
        pause=far.pause,
    )


def _put(session: Session, place: Place, part: Part, far: Far) -> None:
    """Send one small file, whole or not at all; again when the catalog did not answer."""
    headers = {"Content-Length": str(part.nbytes), "Content-Digest": digest(part)}
    patience = tus.Patience(far.pause)
    ended = False
    while True:
        try:
            address = place.address(ended=ended) + below(part.path)
            return session.put(address, _counted(part, far.counter(part)), headers)
        except NotLoggedIn:  # the write ticket has ended
            if ended:
                raise
            ended = True
        except Unavailable:
            patience.wait()


def _raise_first(ended: set[Future[None]]) -> None:
    """Raise what went wrong, rather than that others stopped because of it."""
    errors = [error for future in ended if (error := future.exception())]
    for error in sorted(errors, key=lambda error: isinstance(error, Stopped)):
        raise error


def _address(told: Mapping[str, Any]) -> str:
    if not told["upload"]:
        raise Conflict(f"deposit {told['uid']} is {told['state']}: upload it anew")
    return str(told["upload"])


def _counted(part: Part, count: Callable[[int], None]) -> Iterator[bytes]:
    sent = 0
    for piece in pieces(part.file):
        yield piece
        sent += len(piece)
        count(sent)
