"""A thread of the service that looks again and again until it is closed."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Self

from sqlalchemy.exc import DBAPIError, IntegrityError

from ..errors import CidError

log = logging.getLogger(__name__)

AGAIN = 60.0  # seconds until the same trouble is told again


class Rounds(ABC):
    """Looks for work of one kind. What a look could not do, the next one does; no error ends it."""

    name: str
    every: float  # seconds from the end of a look to the next one
    first: float = 0.0  # seconds from the start to the first look
    patience: float = 10.0  # seconds that closing it waits for a look that is under way

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._wake = threading.Event()
        self._trouble: tuple[type[Exception] | None, float] = (None, 0.0)
        self._thread = threading.Thread(target=self._go, name=self.name, daemon=True)

    @abstractmethod
    def look(self) -> object:
        """Do what there is to do; end early when it is `stopping`."""

    def start(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def soon(self) -> None:
        """Look now, or once more when a look is under way."""
        self._wake.set()

    def close(self) -> None:
        """Stop; what is left is found at the next start."""
        self.stopping.set()
        self._wake.set()
        if self.looking:
            self._thread.join(self.patience)

    @property
    def looking(self) -> bool:
        """Whether the thread lives: it was started, and is not closed or has not heard of it."""
        return self._thread.is_alive()

    def _go(self) -> None:
        wait = self.first
        while True:
            self._wake.wait(wait)
            self._wake.clear()  # before the question below, or closing it could go unheard
            if self.stopping.is_set():
                return
            try:
                self.look()
            except Exception as error:
                self._stumbled(error)
            wait = self.every

    def _stumbled(self, error: Exception) -> None:
        """Tell what went wrong; the same thing once a minute."""
        kind, now = type(error), time.monotonic()
        if self._trouble[0] is kind and now - self._trouble[1] < AGAIN:
            return
        self._trouble = (kind, now)
        if isinstance(error, IntegrityError):
            log.info("%s: another process did the same at the same moment", self.name)
        elif isinstance(error, DBAPIError | CidError | OSError):
            log.warning("%s: %s; the next look tries again", self.name, type(error).__name__)
        else:
            log.exception("%s", self.name)


def close(several: Iterable[Rounds]) -> None:
    """Close them in their order; what they are at ends side by side."""
    several = list(several)
    for one in several:
        one.stopping.set()
        one.soon()
    for one in several:
        one.close()
