"""Waits for something long: asks ever more slowly, and keeps one line saying how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import Unavailable

FIRST, SLOWEST, GROWTH = 0.3, 1.0, 1.5  # seconds between questions
PATIENCE = 120.0  # seconds for which a catalog that does not answer is asked again


def until(ended: Callable[[], bool], timeout: float | None, what: str) -> None:
    """Ask until `ended()` is true; raise TimeoutError when `timeout` seconds have gone.

    A catalog that is away for less than PATIENCE seconds, as when it restarts, is waited for.
    """
    began = last_heard = time.monotonic()
    pause = FIRST
    while True:
        try:
            if ended():
                return
            last_heard = time.monotonic()
        except Unavailable:
            if time.monotonic() - last_heard > PATIENCE:
                raise
        left = SLOWEST if timeout is None else began + timeout - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"{what} has not ended after {timeout:g} s: it goes on, wait again")
        time.sleep(min(pause, left))
        pause = min(pause * GROWTH, SLOWEST)


@contextmanager
def line(shown: bool) -> Iterator[Callable[[str], None]]:
    """Give a function that shows one line of text in place of the one before."""
    if not shown:
        yield lambda text: None
    elif (handle := _notebook()) is not None:
        yield handle
    elif sys.stdout.isatty():
        width = 0

        def rewrite(text: str) -> None:
            nonlocal width
            print("\r" + text.ljust(width), end="", flush=True)
            width = len(text)

        try:
            yield rewrite
        finally:
            print()
    else:
        yield _only_changes()


def bar(fraction: float, width: int = 20) -> str:
    """Return a bar of text for a fraction of 0 to 1."""
    full = round(min(max(fraction, 0.0), 1.0) * width)
    return "█" * full + "░" * (width - full)


def _only_changes() -> Callable[[str], None]:
    """Print to a log: a line only where its first word, the state, is another."""
    last = ""

    def tell(text: str) -> None:
        nonlocal last
        if text.split(" ", 1)[0] != last:
            last = text.split(" ", 1)[0]
            print(text, flush=True)

    return tell


def _notebook() -> Callable[[str], None] | None:
    """Return a display that updates itself, if this is a notebook's kernel."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    if not shell or not hasattr(shell, "kernel"):
        return None
    from IPython.display import DisplayHandle

    handle: Any = DisplayHandle()  # type: ignore[no-untyped-call]
    started = False

    def update(text: str) -> None:
        nonlocal started
        show = handle.update if started else handle.display
        show({"text/plain": text}, raw=True)
        started = True

    return update
