"""Uploads that were broken off, remembered on this computer: a later Python goes on with them.

One file for each deposit, a line for each thing that happened. Losing it loses nothing but the
time to send again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

DAYS = 8  # after which what is remembered is of no use


@dataclass
class Unfinished:
    """What one deposit has sent so far: `done` paths, and `begun`: path -> upload.

    key: what it is opened with, remembered before so that it is opened once. deposit: "" until then
    """

    key: str
    deposit: str = ""
    done: set[str] = field(default_factory=set)
    begun: dict[str, str] = field(default_factory=dict)
    file: Path | None = None
    kept: bool = False
    _lines: TextIO | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def note_deposit(self, uid: str) -> None:
        """It is open, under this name."""
        self.deposit = uid
        self._write(deposit=uid)

    def note_done(self, path: str) -> None:
        """This file is there."""
        self.done.add(path)
        self._write(done=path)

    def note_begun(self, path: str, upload: str) -> None:
        """This file is on its way, under this name."""
        self.begun[path] = upload
        self._write(path=path, upload=upload)

    def noting(self, path: str) -> Callable[[str], None]:
        """Return what is told of this file's upload when it has begun."""
        return lambda upload: self.note_begun(path, upload)

    def forget(self) -> None:
        """The deposit is whole, or was given up."""
        self._close()
        if self.file is not None:
            with suppress(OSError):
                self.file.unlink(missing_ok=True)

    def leave(self) -> bool:
        """Let another one go on with it; return whether anybody can."""
        self.kept = self._lines is not None
        self._close()
        return self.kept

    def _close(self) -> None:
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def _write(self, **line: Any) -> None:
        with self._turn, suppress(OSError):  # a full disk here is no reason to stop
            if self._lines is not None:
                self._lines.write(json.dumps(line) + "\n")
                self._lines.flush()


def remember(folder: Path | None, key: str, about: dict[str, Any]) -> Unfinished:
    """Return the memory of a deposit that is to be opened; `folder` None: it remembers nothing."""
    made = Unfinished(key)
    if folder is None:
        return made
    with suppress(OSError):  # no home that can be written to: it cannot be gone on with
        folder.mkdir(parents=True, exist_ok=True)
        _tidy(folder)
        file = folder / f"{key}.jsonl"
        made._lines, made.file = _held(file.open("x", encoding="utf-8")), file
        made._write(key=key, about=about)
    return made


def find(folder: Path | None, about: dict[str, Any]) -> Iterator[Unfinished]:
    """Yield what is remembered of deposits of the same, newest first; nobody else has them."""
    if folder is None or not folder.is_dir():
        return
    for file in sorted(folder.glob("*.jsonl"), key=_age, reverse=True):
        with suppress(OSError, ValueError, LookupError):
            told = _lines_of(file)
            if told[0]["about"] != about:
                continue
            found = Unfinished(told[0]["key"], file=file)
            found._lines = _held(file.open("a", encoding="utf-8"))
            for line in told[1:]:
                if "deposit" in line:
                    found.deposit = line["deposit"]
                elif "done" in line:
                    found.done.add(line["done"])
                else:
                    found.begun[line["path"]] = line["upload"]
            yield found


def about(url: str, parts: Iterable[Any], **where: str) -> dict[str, Any]:
    """Return what must be the same for a deposit to be gone on with: the files, unchanged."""
    files = [[str(part.file.resolve()), part.path, *_state(part.file)] for part in parts]
    same = hashlib.sha256(json.dumps(files).encode()).hexdigest()
    return {"url": url, "files": same, **where}


def _held(lines: TextIO) -> TextIO:
    """Return the file, locked where that is possible. OSError: another process goes on with it."""
    with contextlib.suppress(ImportError):  # Windows: two at once only send more than needed
        import fcntl

        try:
            fcntl.flock(lines, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lines.close()
            raise
    return lines


def _lines_of(file: Path) -> list[dict[str, Any]]:
    """Return the whole lines; a kill may have torn the last one."""
    text = file.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def _tidy(folder: Path) -> None:
    for file in folder.glob("*.jsonl"):
        if _age(file) < time.time() - DAYS * 86_400:
            file.unlink(missing_ok=True)


def _age(file: Path) -> float:
    try:
        return os.stat(file).st_mtime
    except FileNotFoundError:
        return 0.0


def _state(file: Path) -> tuple[int, int]:
    state = file.stat()
    return state.st_size, state.st_mtime_ns
