"""The system's word that a folder changed, where the package watchdog is: it wakes the next scan.

Nothing depends on it: such words get lost, and network shares send none.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from .config import Watch


@contextmanager
def waking(watched: Sequence[Watch], wake: threading.Event) -> Iterator[bool]:
    """Set `wake` whenever something changes, as long as this lasts; gives whether it can."""
    observer = _observer(watched, wake)
    try:
        yield observer is not None
    finally:
        if observer is not None:
            observer.stop()
            observer.join()


def _observer(watched: Sequence[Watch], wake: threading.Event) -> Any:
    try:
        observers = import_module("watchdog.observers")
        events = import_module("watchdog.events")
    except ImportError:
        return None

    changes = {"created", "modified", "moved", "deleted", "closed"}

    def dispatch(event: Any) -> None:
        if event.event_type in changes:  # reading a file is no change
            wake.set()

    handler = events.FileSystemEventHandler()
    handler.dispatch = dispatch
    observer = observers.Observer()
    try:
        for watch in watched:
            observer.schedule(handler, str(watch.folder), recursive=True)
        observer.start()
    except OSError:  # a folder that is not there yet, or too many to watch
        return None
    return observer
