"""How far several things are: a bar for each on a terminal, else one line when each has ended."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import TextIO

from ..wire.waiting import bar

BEAT = 0.1  # seconds between two pictures
NAME = 32  # characters of a name that are shown


class Board:
    """Lines of text that are drawn again in their place. Threads share it."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._pretty = self._out.isatty()
        self._lines: dict[str, str] = {}
        self._drawn, self._since = 0, 0.0
        self._turn = threading.Lock()

    def show(self, name: str, fraction: float, text: str) -> None:
        """Say how far one thing is."""
        with self._turn:
            self._lines[name] = f"{_short(name)}  {bar(fraction)} {fraction:4.0%}  {text}"
            if self._pretty and time.monotonic() - self._since > BEAT:
                self._draw()

    def end(self, name: str, *said: str) -> None:
        """Say how one thing ended, for good."""
        with self._turn:
            self._lines.pop(name, None)
            self._wipe()
            for line in said:
                print(line, file=self._out)
            if self._pretty:
                self._draw()
            self._out.flush()

    def close(self) -> None:
        """Leave nothing half drawn."""
        with self._turn:
            self._lines.clear()
            self._wipe()
            self._out.flush()

    def _draw(self) -> None:
        self._wipe()
        width = shutil.get_terminal_size().columns - 1
        for line in self._lines.values():
            self._out.write(line[:width] + "\n")
        self._drawn, self._since = len(self._lines), time.monotonic()
        self._out.flush()

    def _wipe(self) -> None:
        if self._drawn:
            self._out.write(f"\x1b[{self._drawn}F\x1b[J")
            self._drawn = 0


def _short(name: str) -> str:
    return (name if len(name) <= NAME else f"…{name[-NAME + 1 :]}").ljust(NAME)
