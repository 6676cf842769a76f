"""Tells somebody how far a run is: the first and the last word always, others twice a second."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

EVERY = 0.5  # seconds between two reports
ANYHOW = 2.0  # seconds after which one is sent to ask, though nothing changed


class Reporter:
    """Posts from a thread of its own, so that a slow catalog never slows a notebook."""

    def __init__(
        self,
        post: Callable[[dict[str, Any]], object],
        more: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        """`more` is asked at each word for what else is known."""
        self._send, self._more = post, more
        self._latest: dict[str, Any] = {"cell": 0, "cells": 0, "text": "starting the kernel"}
        self._changed = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def tell(self, done: int, cells: int, text: str) -> None:
        """Remember how far it is; it is posted soon."""
        self._latest = {"cell": done, "cells": cells, "text": text}
        self._changed.set()

    def __enter__(self) -> Reporter:
        self._thread.start()  # its first word does not hold the kernel up
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._changed.set()
        self._thread.join()
        self._post()

    def _work(self) -> None:
        self._post()
        while not self._over.wait(EVERY):
            self._changed.wait(ANYHOW - EVERY)
            if not self._over.is_set():
                self._post()

    def _post(self) -> None:
        self._changed.clear()
        self._send({**self._latest, **self._more()})
