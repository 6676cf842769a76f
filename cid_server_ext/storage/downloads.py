"""Batch downloads: a list below the root says what each holds. Every data plane reads it.

A list is named by its own digest: who asks for the same again goes on with the same archive. It is
kept for a day after somebody asked for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import BadInput, Gone
from . import manifests
from .portable import Tree
from .roots import Folder, files_below, sha256
from .zipping import Checks, Entry, Layout, Stored

PLACE = "state/downloads"
MANIFEST = "manifest-sha256.txt"
KEPT = 24 * 3600  # seconds
MOST_LISTS = 1000
MOST_FILES = 200_000
OPEN = 8  # archives whose layout is remembered


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file or folder `stored` below a prefix, and the folder and name it has in the archive."""

    way: tuple[str, ...]
    name: str
    prefix: str
    stored: str
    sha256: str
    at: int


@dataclass(frozen=True, slots=True)
class Line:
    """A file of the archive: its path there, its key, its bytes; no sha256 where none is known."""

    path: str
    key: str
    nbytes: int
    sha256: str
    at: int


@dataclass(slots=True)
class Manifest:
    """The archive's last file: the digest of each other one, as `sha256sum -c` reads it.

    The digest of a file that nobody noted is made when its line is read.
    """

    root: Folder
    lines: Sequence[Line]
    _made: dict[str, str] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """How long it is, before any digest is known."""
        return sum(67 + len(line.path.encode()) for line in self.lines)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Give a part of it."""
        at = 0
        for line in self.lines:
            path = line.path.encode()
            end = at + 67 + len(path)
            if at < stop and end > start:
                text = b"%s  %s\n" % (self._digest(line).encode(), path)
                yield text[max(start - at, 0) : stop - at]
            at = end

    def _digest(self, line: Line) -> str:
        if not line.sha256 and line.key not in self._made:
            self._made[line.key] = sha256(self.root.path(line.key))
        return line.sha256 or self._made[line.key]


@dataclass(frozen=True, slots=True)
class Batch:
    """One download: the prefixes whose bytes it has, and where each byte lies."""

    uid: str
    prefixes: tuple[str, ...]
    layout: Layout

    @property
    def etag(self) -> str:
        """The same for the same bytes."""
        return f'"{self.uid}"'


class Batches:
    """The downloads of one root."""

    def __init__(self, root: Folder) -> None:
        self._root = root
        self._open: OrderedDict[str, Batch] = OrderedDict()
        self._turn = threading.Lock()

    def make(self, wanted: Iterable[Wanted]) -> tuple[Batch, list[Wanted]]:
        """Return the download of all that is wanted, and what is not in storage."""
        lines, absent, prefixes = [], [], dict[str, None]()
        tree = Tree()
        tree.add("", MANIFEST)
        for one in wanted:
            if found := list(self._files(one, tree)):
                lines += found
                prefixes[one.prefix] = None
            else:
                absent.append(one)
            if len(lines) > MOST_FILES:
                raise BadInput(f"this has more than {MOST_FILES} files: take it in parts")
        told = [[line.path, line.key, line.nbytes, line.sha256, line.at] for line in lines]
        text = json.dumps({"prefixes": list(prefixes), "lines": told}).encode()
        uid = hashlib.sha256(text).hexdigest()[:32]
        self._keep(uid, text)
        return self._laid_out(uid, tuple(prefixes), lines), absent

    def get(self, uid: str) -> Batch:
        """Return a download that was made here or by another process; Gone when it is no more."""
        with self._turn:
            if uid in self._open:
                self._open.move_to_end(uid)
                return self._open[uid]
        try:
            told = json.loads(self._path(uid).read_bytes())
        except (FileNotFoundError, ValueError):
            raise Gone("this download has ended: ask the catalog for it again") from None
        return self._laid_out(uid, tuple(told["prefixes"]), [Line(*one) for one in told["lines"]])

    def sweep(self) -> None:
        """Remove the lists that nobody asked for in a day."""
        with suppress(FileNotFoundError):
            lists = [one for one in os.scandir(self._root.path(PLACE)) if one.is_file()]
            ages = sorted((one.stat().st_mtime, one.path) for one in lists)
            old = time.time() - KEPT
            for place, (at, path) in enumerate(ages):
                if at < old or place < len(ages) - 2 * MOST_LISTS:
                    Path(path).unlink(missing_ok=True)

    def _files(self, one: Wanted, tree: Tree) -> Iterator[Line]:
        """Give the files of what is wanted, by name; nothing when it is not there."""
        base = self._root.path(f"{one.prefix}/{one.stored}")
        folder = tree.folder(one.way)
        if base.is_file():
            key, nbytes = f"{one.prefix}/{one.stored}", base.stat().st_size
            yield Line(tree.add(folder, one.name), key, nbytes, one.sha256, one.at)
            return
        found = sorted(files_below(base)) if base.is_dir() else []
        if not found:
            return
        said = manifests.promised(self._root.path(one.prefix), one.sha256) or {}
        group = tree.group(folder, one.name)
        for name, path in found:
            below, nbytes = f"{one.stored}/{name}", path.stat().st_size
            at = tree.within(group, name)
            yield Line(at, f"{one.prefix}/{below}", nbytes, said.get(below, ""), one.at)

    def _laid_out(self, uid: str, prefixes: tuple[str, ...], lines: list[Line]) -> Batch:
        base = self._root.root
        entries = [Entry(one.path, Stored(base / one.key, one.nbytes), one.at) for one in lines]
        entries.append(Entry(MANIFEST, Manifest(self._root, lines)))
        checks = Checks(self._path(uid).with_suffix(".crc"))
        batch = Batch(uid, prefixes, Layout(entries, checks))
        with self._turn:
            self._open[uid] = batch
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
        return batch

    def _keep(self, uid: str, text: bytes) -> None:
        path = self._path(uid)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.sweep()
        beside = path.with_suffix(f".{os.urandom(4).hex()}")
        beside.write_bytes(text)
        os.replace(beside, path)
        with suppress(FileNotFoundError):
            os.utime(path.with_suffix(".crc"))

    def _path(self, uid: str) -> Path:
        return self._root.path(f"{PLACE}/{uid}.json")
