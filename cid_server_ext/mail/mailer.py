"""Sends notices by mail: of several processes one at a time, and no transaction waits for mail."""

from __future__ import annotations

import logging
import smtplib
import threading
import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from ..core import duties
from ..core.notices import outbox
from ..core.notices.outbox import Letter
from ..db.session import Sessions, reading
from .letters import letter
from .server import Later, MailServer, Never, send

log = logging.getLogger(__name__)

DUTY, HELD = "mail", 300.0  # seconds; longer than one letter may take
EVERY = 5.0  # seconds between two looks
FORGETTING = 3600.0


class Mailer:
    """A thread that looks for letters until it is closed."""

    def __init__(self, sessions: Sessions, server: MailServer) -> None:
        self._sessions = sessions
        self._server = server
        self._holder = duties.myself()
        self._forgot = -FORGETTING
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="mailer", daemon=True)

    def start(self) -> Mailer:
        """Begin; the first look is now."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop; what is due goes out at the next start."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(10)

    def look(self) -> int:
        """Send what is due, and return how many letters the server took."""
        if time.monotonic() - self._forgot > FORGETTING:
            self._forgot = time.monotonic()
            with self._sessions.begin() as session:
                outbox.forget(session)
        if not self._server.host:
            return 0
        with reading(self._sessions) as session:
            letters = outbox.due(session)
        if not letters or not self._mine():
            return 0
        try:
            return self._send(letters)
        finally:
            with self._sessions.begin() as session:
                duties.drop(session, DUTY, self._holder)

    def _send(self, letters: list[Letter]) -> int:
        taken, left = 0, list(letters)
        try:
            with self._server.open() as smtp:
                while left and not self._stop.is_set() and self._mine():
                    taken += self._hand_over(smtp, left[0])
                    left.pop(0)
        except Later as error:
            log.warning("mail waits: %s", error)
            self._say(outbox.later, left)
        return taken

    def _hand_over(self, smtp: smtplib.SMTP, one: Letter) -> bool:
        try:
            made = letter(one, self._server)
            send(smtp, made)
        except (Never, ValueError):  # such an address, or such a letter, goes nowhere
            log.warning("mail to %s is refused", one.person)
            self._say(outbox.refused, [one])
            return False
        except Later:
            self._say(outbox.later, [one])
            return False
        self._say(outbox.sent, [one])
        return True

    def _say(self, what: Callable[[Session, Letter], None], letters: list[Letter]) -> None:
        with self._sessions.begin() as session:
            for one in letters:
                what(session, one)

    def _mine(self) -> bool:
        with self._sessions.begin() as session:
            return duties.take(session, DUTY, self._holder, HELD)

    def _keep(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except Exception as error:  # the next look tries again
                log.warning("sending mail: %s", type(error).__name__)
            self._stop.wait(EVERY)
