"""A duty of the service, which one of its processes has at a time."""

from __future__ import annotations

import logging
import time

from sqlalchemy.exc import DBAPIError

from ..core import duties
from ..db.session import Sessions, reading

log = logging.getLogger(__name__)


class Turn:
    """Whether it is this process's turn; whoever dies loses it after `held` seconds.

    renewed: seconds for which it is not asked whether it is still ours, well below `held`.
    """

    def __init__(self, sessions: Sessions, name: str, held: float, renewed: float = 0.0) -> None:
        self._sessions, self._name, self._held, self._renewed = sessions, name, held, renewed
        self._holder = duties.myself()
        self._taken: float | None = None  # when

    def mine(self) -> bool:
        """Take the duty, or keep it; False: another process has it, and nothing is written."""
        if self._taken is not None and time.monotonic() - self._taken < self._renewed:
            return True
        self._taken = None
        with reading(self._sessions) as session:
            if not duties.open_to(session, self._name, self._holder):
                return False
        with self._sessions.begin() as session:
            mine = duties.take(session, self._name, self._holder, self._held)
        self._taken = time.monotonic() if mine else None
        return mine

    def drop(self) -> None:
        """Let it go, so that another process need not wait until it ends."""
        if self._taken is None:
            return
        self._taken = None
        try:
            with self._sessions.begin() as session:
                duties.drop(session, self._name, self._holder)
        except DBAPIError as error:
            log.warning("letting %s go: %s; it ends by itself", self._name, type(error).__name__)
