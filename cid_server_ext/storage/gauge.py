"""How much lies below each write prefix, so that nobody brings more than was reserved."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import OverQuota, TooLarge
from . import uploads
from .intake import sweep
from .roots import Folder

FRESH = 2.0  # seconds after which what lies below a prefix is counted anew
CALM = 20  # and never more than 1/20 of the time is spent on counting
MOST_FILES = 200_000  # and folders of one deposit: an empty one takes no room, but an inode


@dataclass(slots=True)
class Held:
    """What is held below one prefix, and until when (monotonic) that is good."""

    nbytes: int = 0
    files: int = 0
    until: float = 0.0


@dataclass(slots=True)
class Gauge:
    """Bytes and files below each write prefix, counted on disk and kept for a moment.

    Counting on every small file of a large deposit would be quadratic; another replica's writes
    are seen when the count is renewed, and the commit counts again in any case.
    """

    root: Folder
    most_files: int = MOST_FILES
    _seen: dict[str, Held] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, prefix: str, nbytes: int, limit: int) -> None:
        """Count one more file of `nbytes` below `prefix`.

        Raise OverQuota when it would exceed `limit` bytes, TooLarge when it is one too many.
        """
        with self._turn:
            held = self._seen.get(prefix) or Held()
            if time.monotonic() >= held.until:
                held = self._counted(prefix)
            if held.nbytes + nbytes > limit:
                raise OverQuota(
                    f"{nbytes} bytes more would exceed the {limit} bytes reserved for this deposit:"
                    " declare all files and their sizes when it is opened"
                )
            if held.files >= self.most_files:
                raise TooLarge(
                    f"a deposit holds at most {self.most_files} files and folders: pack small"
                    " files together, or bring the others in by another deposit"
                )
            held.nbytes += nbytes
            held.files += 1

    def release(self, prefix: str, nbytes: int) -> None:
        """Give back a file that was admitted and did not stay."""
        with self._turn:
            if (held := self._seen.get(prefix)) is not None:
                held.nbytes -= nbytes
                held.files -= 1

    def _counted(self, prefix: str) -> Held:
        """Count on disk; forget what is good no more."""
        start, place = time.monotonic(), self.root.path(prefix)
        sweep(place)
        coming = uploads.announced(place)
        held = Held(sum(coming), len(coming))
        for folder, folders, names in os.walk(place):
            held.files += len(folders) + len(names)
            for name in names:
                with suppress(FileNotFoundError):  # it gets its name at this moment
                    held.nbytes += Path(folder, name).lstat().st_size
        held.files = max(held.files, uploads.opened(place))  # to one place any number may have come
        now = time.monotonic()
        held.until = now + max(FRESH, CALM * (now - start))
        self._seen = {key: seen for key, seen in self._seen.items() if seen.until > now}
        self._seen[prefix] = held
        return held
