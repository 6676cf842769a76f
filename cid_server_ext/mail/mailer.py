"""Sends notices by mail: of several processes one at a time, and no transaction waits for mail."""

from __future__ import annotations

import logging
import smtplib
import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from ..background.rounds import Rounds
from ..background.turn import Turn
from ..core.notices import outbox
from ..core.notices.outbox import Letter
from ..db.session import Sessions, reading
from .letters import letter
from .server import Later, MailServer, Never, send

log = logging.getLogger(__name__)

HELD = 300.0  # seconds; longer than one letter may take
FORGETTING = 3600.0


class Mailer(Rounds):
    """Looks for letters."""

    name, every = "mailer", 5.0

    def __init__(self, sessions: Sessions, server: MailServer) -> None:
        super().__init__()
        self._sessions, self._server = sessions, server
        self._turn = Turn(sessions, "mail", HELD)
        self._forgot = -FORGETTING

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
        if not letters or not self._turn.mine():
            return 0
        try:
            return self._send(letters)
        finally:
            self._turn.drop()

    def _send(self, letters: list[Letter]) -> int:
        taken, left = 0, list(letters)
        try:
            with self._server.open() as smtp:
                while left and not self.stopping.is_set() and self._turn.mine():
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
