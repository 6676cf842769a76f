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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadInput, BytesChanged, CidError, Gone, NotFound, Unavailable
from . import forms, manifests
from .afar import Afar, Site
from .inplace import Roots
from .lines import Absent, Line, Wanted
from .portable import Tree
from .roots import Folder, files_below
from .zipping import Checks, Entry, Layout

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

    def __init__(self, root: Folder, site: Site | None = None) -> None:
        self._root = root
        self._site = site or Site(root.root, Roots())
        self._open: OrderedDict[str, Batch] = OrderedDict()
        self._turn = threading.Lock()

    def make(self, wanted: Iterable[Wanted]) -> tuple[Batch, list[Absent]]:
        """Return the download of all that is wanted, and what is not in it."""
        lines, absent, prefixes = [], [], dict[str, None]()
        wanted = list(wanted)
        sizes = self._sizes(wanted)
        tree = Tree()
        tree.add("", MANIFEST)
        for one in wanted:
            try:
                lines += self._files(one, tree, sizes)
                prefixes[one.prefix] = None
            except (BadInput, BytesChanged, NotFound, Unavailable) as error:
                absent.append(Absent(one, str(error)))
            if len(lines) > MOST_FILES:
                raise BadInput(f"this has more than {MOST_FILES} files: take it in parts")
        homes: dict[Afar, int] = {}
        told: dict[str, Any] = {"lines": [line.told(homes) for line in lines]}
        told |= {"prefixes": list(prefixes), "homes": [home.told() for home in homes]}
        text = json.dumps(told).encode()
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
        if "homes" not in told:  # an older release wrote it
            raise Gone(ENDED)
        homes = [Afar.of(home) for home in told["homes"]]
        lines = [Line.of(one, homes) for one in told["lines"]]
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

    def _sizes(self, wanted: Iterable[Wanted]) -> dict[str, int | CidError]:
        """Return how long what is made of images in place will be, by prefix, or why it is not."""
        by_form: dict[str, list[Wanted]] = {}
        for one in wanted:
            if one.place and one.form:
                by_form.setdefault(one.form, []).append(one)
        found: dict[str, int | CidError] = {}
        for form, several in by_form.items():
            told = self._site.measure(form, [(one.home, one.said) for one in several])
            found |= {one.prefix: told[one.home] for one in several}
        return found

    def _files(self, one: Wanted, tree: Tree, sizes: Mapping[str, int | CidError]) -> list[Line]:
        """Return the files of what is wanted, by name; NotFound: they are not all there."""
        if one.place:
            return self._in_place(one, tree, sizes)
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

    def _in_place(self, one: Wanted, tree: Tree, sizes: Mapping[str, int | CidError]) -> list[Line]:
        """Return the files of what stays where it is; BytesChanged: it is not as it was."""
        home = one.home
        if one.form:
            nbytes, version = sizes[one.prefix], forms.version(one.form)
            if isinstance(nbytes, CidError):
                raise nbytes
            path = tree.add(tree.folder(one.way), one.name)
            return [Line(path, "", nbytes, "", one.at, one.form, version, one.said, home)]
        found = list(self._site.files(home, self._root.path(one.prefix), one.sha256))
        folder = tree.folder(one.way)
        group = "" if home.place.form == "file" else tree.group(folder, one.name)
        lines = []
        for file in found:
            path = tree.within(group, file.name) if group else tree.add(folder, one.name)
            lines.append(Line(path, file.inside, file.nbytes, file.sha256, one.at, home=file.home))
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
        entries = [Entry(one.path, one.source(self._site), one.at) for one in lines]
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
