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
from typing import Any

from ..errors import BadInput, Gone, NotFound
from . import forms, manifests, zipping
from .forms import Computed, Said
from .portable import Tree
from .roots import Folder, files_below
from .zipping import Checks, Entry, Layout, Stored

PLACE = "state/downloads"
MANIFEST = "manifest-sha256.txt"
KEPT = 24 * 3600  # seconds
MOST_LISTS = 1000
MOST_FILES = 200_000
OPEN = 8  # archives whose layout is remembered
NOTHING = hashlib.sha256().hexdigest()  # the digest of an empty file
ENDED = "this download has ended: ask the catalog for it again"
LOST = "its bytes are not in storage: tell staff"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file or folder `stored` below a prefix, and the folder and name it has in the archive.

    form: what an image's store is made into on the way, with what is `said` of it; or as it lies.
    """

    way: tuple[str, ...]
    name: str
    prefix: str
    stored: str
    sha256: str
    at: int
    form: str = ""
    said: Said = field(default_factory=lambda: Said("", ""))


@dataclass(frozen=True, slots=True)
class Absent:
    """What is wanted and not in the archive, and why."""

    wanted: Wanted
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """A file of the archive: its path there, its key, its bytes; no sha256 where none is known.

    form: what is made of the image at `key`, in which version of it.
    """

    path: str
    key: str
    nbytes: int
    sha256: str
    at: int
    form: str = ""
    version: int = 0
    said: Said = field(default_factory=lambda: Said("", ""))

    def told(self) -> list[Any]:
        """Return it as the list on disk has it."""
        told = [self.path, self.key, self.nbytes, self.sha256, self.at]
        said = self.said
        more = [self.form, self.version, said.uid, said.name, said.tags]
        return [*told, *more] if self.form else told

    @classmethod
    def of(cls, told: Sequence[Any]) -> Line:
        """Return a line from the list on disk."""
        if len(told) == 5:
            return cls(*told)
        uid, name, tags = told[7:]
        return cls(*told[:7], Said(uid, name, tuple((key, value) for key, value in tags)))

    def source(self, root: Path) -> zipping.Source:
        """Return its bytes."""
        if self.form:
            return Computed(root / self.key, self.form, self.said, self.nbytes)
        return Stored(root / self.key, self.nbytes)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The archive's last file: the digest of each other one, as `sha256sum -c` reads it.

    The digest of a file that nobody noted is that of the bytes that passed; those that did not are
    read for it when its line is.
    """

    lines: Sequence[Line]
    entries: Sequence[Entry]
    checks: Checks

    @property
    def nbytes(self) -> int:
        """How long it is, before any digest is known."""
        return sum(67 + len(line.path.encode()) for line in self.lines)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Give a part of it."""
        at = 0
        for index, line in enumerate(self.lines):
            path = line.path.encode()
            end = at + 67 + len(path)
            if at < stop and end > start:
                if not line.sha256:
                    yield from self.checks.again(index, self.entries[index])
                digest = line.sha256 or self.checks.digest(index) or NOTHING
                text = b"%s  %s\n" % (digest.encode(), path)
                yield text[max(start - at, 0) : stop - at]
            at = end


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

    def make(self, wanted: Iterable[Wanted]) -> tuple[Batch, list[Absent]]:
        """Return the download of all that is wanted, and what is not in it."""
        lines, absent, prefixes = [], [], dict[str, None]()
        tree = Tree()
        tree.add("", MANIFEST)
        for one in wanted:
            try:
                lines += self._files(one, tree)
                prefixes[one.prefix] = None
            except (BadInput, NotFound) as error:
                absent.append(Absent(one, str(error)))
            if len(lines) > MOST_FILES:
                raise BadInput(f"this has more than {MOST_FILES} files: take it in parts")
        told = [line.told() for line in lines]
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
            raise Gone(ENDED) from None
        lines = [Line.of(one) for one in told["lines"]]
        if any(line.form and line.version != forms.version(line.form) for line in lines):
            raise Gone(ENDED)
        return self._laid_out(uid, tuple(told["prefixes"]), lines)

    def sweep(self) -> None:
        """Remove the lists that nobody asked for in a day."""
        with suppress(FileNotFoundError):
            lists = [one for one in os.scandir(self._root.path(PLACE)) if one.is_file()]
            ages = sorted((one.stat().st_mtime, one.path) for one in lists)
            old = time.time() - KEPT
            for place, (at, path) in enumerate(ages):
                if at < old or place < len(ages) - 2 * MOST_LISTS:
                    Path(path).unlink(missing_ok=True)

    def _files(self, one: Wanted, tree: Tree) -> list[Line]:
        """Return the files of what is wanted, by name; NotFound: they are not all there."""
        base, key = self._root.path(f"{one.prefix}/{one.stored}"), f"{one.prefix}/{one.stored}"
        if one.form:
            return [self._made(one, key, base, tree)]
        folder = tree.folder(one.way)
        if base.is_file():
            nbytes = base.stat().st_size
            return [Line(tree.add(folder, one.name), key, nbytes, one.sha256, one.at)]
        found = sorted(files_below(base)) if base.is_dir() else []
        if not found:
            raise NotFound(LOST)
        said = manifests.promised(self._root.path(one.prefix), one.sha256) or {}
        group, lines = tree.group(folder, one.name), []
        for name, path in found:
            below, nbytes = f"{one.stored}/{name}", path.stat().st_size
            at = tree.within(group, name)
            lines.append(Line(at, f"{one.prefix}/{below}", nbytes, said.get(below, ""), one.at))
        return lines

    def _made(self, one: Wanted, key: str, store: Path, tree: Tree) -> Line:
        """Return the one file that an image's store is made into; BadInput: not in this form."""
        prefix = self._root.path(one.prefix)
        said = manifests.promised(prefix, one.sha256) or {}
        if not store.is_dir() or not all((prefix / name).exists() for name in said):
            raise NotFound(LOST)  # a chunk that is lost would be read as one that is empty
        nbytes = forms.made(store, one.form, one.said).nbytes
        path = tree.add(tree.folder(one.way), one.name)
        return Line(path, key, nbytes, "", one.at, one.form, forms.version(one.form), one.said)

    def _laid_out(self, uid: str, prefixes: tuple[str, ...], lines: list[Line]) -> Batch:
        base = self._root.root
        entries = [Entry(one.path, one.source(base), one.at) for one in lines]
        hashed = (index for index, line in enumerate(lines) if not line.sha256)
        checks = Checks(self._path(uid).with_suffix(".crc"), hashed)
        manifest = Entry(MANIFEST, Manifest(lines, entries, checks))
        batch = Batch(uid, prefixes, Layout([*entries, manifest], checks))
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
