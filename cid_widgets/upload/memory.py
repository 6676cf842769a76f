"""Uploads under way in a page, remembered here: a page or a kernel that begins anew goes on.

One file for each deposit, a line for each thing that happened, beside those of `catalog.upload`.
Losing it loses nothing but the time to send again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DAYS = 8  # after which what is remembered is of no use


@dataclass
class Kept:
    """What is known of one deposit: what was said when it was opened, and how far the page got.

    `about` has url, project, dataset, kind, tags, at, and files as [path, nbytes, modified].
    """

    uid: str
    about: Mapping[str, Any]
    begun: dict[str, str] = field(default_factory=dict)  # path -> upload
    done: set[str] = field(default_factory=set)
    file: Path | None = None

    def note(self, begun: Mapping[str, str], done: Sequence[str]) -> None:
        """These files are on their way, under these names, and these are there."""
        if begun or done:
            self.begun.update(begun)
            self.done.update(done)
            self._write({"begun": dict(begun), "done": list(done)})

    def note_there(self, there: Sequence[str]) -> None:
        """These files, or folders with all below them, need not be sent."""
        held = {one[0] for one in self.about["files"] if not set(there).isdisjoint(_ways(one[0]))}
        self.note({}, sorted(held - self.done))

    def forget(self) -> None:
        """It is whole, or was given up."""
        if self.file is not None:
            with suppress(OSError):
                self.file.unlink(missing_ok=True)

    def missing(self) -> dict[str, tuple[int, int]]:
        """Return what is still to come: path -> (nbytes, modified)."""
        return {
            path: (nbytes, modified)
            for path, nbytes, modified in self.about["files"]
            if path not in self.done
        }

    def _write(self, line: Mapping[str, Any]) -> None:
        if self.file is not None:
            # a full disk here is no reason to stop
            with suppress(OSError), self.file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(line) + "\n")


def remember(folder: Path | None, uid: str, about: Mapping[str, Any]) -> Kept:
    """Return the memory of a new deposit; without a folder it lasts as long as this Python."""
    kept = Kept(uid, {**about, "at": time.time()})
    if folder is not None:
        with suppress(OSError):  # no home that can be written to
            folder.mkdir(parents=True, exist_ok=True)
            kept.file = folder / f"{uid}.jsonl"
            kept._write({"uid": uid, "about": kept.about})
    return kept


def everything(folder: Path | None, url: str) -> Iterator[Kept]:
    """Yield what is remembered of deposits of this catalog, newest first."""
    found = []
    for file in folder.glob("*.jsonl") if folder is not None and folder.is_dir() else ():
        with suppress(OSError, ValueError, KeyError, IndexError):
            kept = _read(file)
            if kept.about["at"] < time.time() - DAYS * 86_400:
                kept.forget()
            elif kept.about["url"] == url:
                found.append(kept)
    yield from sorted(found, key=lambda kept: -kept.about["at"])


def _ways(path: str) -> Iterator[str]:
    """Yield a path and the folders it lies in."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _read(file: Path) -> Kept:
    """Return what the whole lines say; a line that a kill has torn is taken off."""
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole and whole != text:
        file.write_text(whole, encoding="utf-8")
    first, *later = [json.loads(line) for line in whole.splitlines()]
    kept = Kept(first["uid"], first["about"], file=file)
    for line in later:
        kept.begun.update(line["begun"])
        kept.done.update(line["done"])
    return kept
