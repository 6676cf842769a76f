"""Calls back on SIGTERM and SIGINT, from a thread.

A signal's handler runs in the main thread, wherever that is just now. It may hold the lock of the
very event that is to be set: then setting it there waits for ever.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable

ENDING = (signal.SIGTERM, signal.SIGINT)


def told(stop: Callable[[], None]) -> None:
    """Call `stop` when this process is asked to end; call this in the main thread."""
    heard, said = socket.socketpair()
    said.setblocking(False)
    signal.set_wakeup_fd(said.fileno())
    for number in ENDING:
        signal.signal(number, lambda *_: None)

    def listen() -> None:
        assert said  # it stays open: a second signal is written to it too
        while not set(heard.recv(64)) & set(ENDING):
            pass
        stop()

    threading.Thread(target=listen, name="signals", daemon=True).start()
