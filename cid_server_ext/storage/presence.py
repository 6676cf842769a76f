"""Whether what lies in place is what was registered: by size and time, or by every byte."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import BytesChanged, CidError, NotFound
from . import listings
from .inplace import Place, Roots
from .listings import Listed
from .roots import Folder

CHUNKS = "state/fixity"
SAMPLE = 20  # chunks of a store that are read where not all are
MOST = 2_000_000  # entries of a tree that are looked at for what was moved


@dataclass(frozen=True, slots=True)
class Seen:
    """How bytes were found. mtime_ns: of a file that was only touched, its time now.

    hashed: how many files were read. nbytes: of a store whose chunks were read for the first time.
    """

    state: str
    reason: str = ""
    mtime_ns: int | None = None
    hashed: int = 0
    nbytes: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalog says of an original in place."""

    uid: str
    prefix: str
    sha256: str
    place: Place
    hashed: bool


def mounted(roots: Roots, name: str) -> bool:
    """Say whether a tree is there: one that is empty is taken for a disk that is not mounted."""
    try:
        with os.scandir(roots.folder(name)) as entries:
            return any(entries)
    except (NotFound, OSError):
        return False


def see(
    roots: Roots, storage: Folder, known: Known, *, deep: bool, doubted: str | None = None
) -> Seen:
    """Look at one original; `deep` reads every byte. A root that is not there raises NotFound.

    doubted: a file of a store that was not given out.
    """
    if not mounted(roots, known.place.root):
        raise NotFound(f"the tree {known.place.root!r} is not there: is its disk mounted?")
    try:
        if known.place.form == "file":
            return _file(roots, known, deep)
        if known.place.form == "set":
            return _set(roots, storage, known, deep)
        if doubted is not None:
            os.close(roots.read_place(known.place, doubted))
        return _tree(roots, storage, known, deep and doubted is None)
    except NotFound:
        return Seen("missing", "it is no longer where it was registered")
    except BytesChanged as error:
        return Seen("changed", str(error))
    except (CidError, OSError) as error:
        return Seen("missing", f"it cannot be read: {error}")


def moved(roots: Roots, lost: Iterable[Known]) -> dict[str, str]:
    """Return by uid the path where a file with these bytes lies now, in the same tree."""
    found: dict[str, str] = {}
    wanted: dict[str, dict[int, list[Known]]] = {}
    for one in lost:
        if one.place.form == "file":
            sizes = wanted.setdefault(one.place.root, {})
            sizes.setdefault(one.place.nbytes, []).append(one)
    for root, sizes in wanted.items():
        base = roots.folder(root)
        for path in _walk(base, sizes):
            inside = path.relative_to(base).as_posix()
            try:
                listed, _ = listings.look(roots, root, "", inside)
            except (CidError, OSError):
                continue
            for one in sizes.get(listed.nbytes, ()):
                if one.sha256 == listed.sha256:
                    found.setdefault(one.uid, inside)
    return found


def _walk(base: Path, sizes: dict[int, list[Known]]) -> Iterator[Path]:
    """Yield the files of these sizes; links are not followed."""
    count = 0
    for here, _, names in os.walk(base):
        for name in names:
            count += 1
            if count > MOST:
                return
            path = Path(here, name)
            try:
                state = path.lstat()
            except OSError:
                continue
            if state.st_size in sizes and not path.is_symlink():
                yield path


def _file(roots: Roots, known: Known, deep: bool) -> Seen:
    place = known.place
    was = Listed("", place.nbytes, place.mtime_ns, known.sha256)
    why, now, read = _same(roots, place.root, place.path, was, deep)
    if why:
        return Seen("changed", why, hashed=read)
    return Seen("ok", mtime_ns=now if now != place.mtime_ns else None, hashed=read)


def _set(roots: Roots, storage: Folder, known: Known, deep: bool) -> Seen:
    base, read = listings.base(roots, known.place), 0
    for was in listings.promised(storage.path(known.prefix), known.sha256):
        path = f"{base}/{was.path}".strip("/")
        why, _, more = _same(roots, known.place.root, path, was, deep)
        read += more
        if why:
            return Seen("changed", f"{was.path}: {why}"[:300], hashed=read)
    return Seen("ok", hashed=read)


def _tree(roots: Roots, storage: Folder, known: Known, deep: bool) -> Seen:
    place, read, began = known.place, 0, time.time_ns()
    for was in listings.promised(storage.path(known.prefix), known.sha256):
        why, _, more = _same(roots, place.root, f"{place.path}/{was.path}", was, deep)
        read += more
        if why:
            return Seen("changed", f"{was.path}: {why}"[:300], hashed=read)
    kept = storage.path(f"{CHUNKS}/{known.uid}.jsonl")
    if not kept.exists() or not known.hashed:
        return _first(roots, known, kept, read) if deep else Seen("ok", hashed=read)
    lines = [Listed(**json.loads(line)) for line in kept.read_text("utf-8").splitlines()]
    some = lines if deep else random.sample(lines, min(SAMPLE, len(lines)))
    for was in some:
        why, _, more = _same(roots, place.root, f"{place.path}/{was.path}", was, True)
        read += more
        if why:
            return Seen("changed", f"{was.path}: {why}"[:300], hashed=read)
    if deep:
        there, was_there = set(_below(roots, place)), {one.path for one in lines}
        if new := sorted(there - was_there):
            return Seen("changed", f"{new[0]}: it came since"[:300], hashed=read)
        # touched perhaps, and every byte is what it was: it is given out again
        return Seen("ok", hashed=read, mtime_ns=began)
    return Seen("ok", hashed=read)


def _first(roots: Roots, known: Known, kept: Path, read: int) -> Seen:
    """Read every file of a store for the first time, if nothing in it is newer than its record."""
    place, nbytes = known.place, 0
    kept.parent.mkdir(parents=True, exist_ok=True)
    beside = kept.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as file:
        for path in _below(roots, place):
            os.close(roots.read_place(place, path))  # BytesChanged: it is newer
            listed, _ = listings.look(roots, place.root, place.path, path)
            told = {"path": path, "nbytes": listed.nbytes}
            told |= {"mtime_ns": listed.mtime_ns, "sha256": listed.sha256}
            file.write(json.dumps(told) + "\n")
            nbytes, read = nbytes + listed.nbytes, read + 1
    os.replace(beside, kept)
    return Seen("ok", hashed=read, nbytes=nbytes)


def _below(roots: Roots, place: Place) -> Iterator[str]:
    base = roots.path(place.root, place.path)
    for here, _, names in os.walk(base):
        for name in sorted(names):
            path = Path(here, name)
            if not path.is_symlink():
                yield path.relative_to(base).as_posix()


def _same(roots: Roots, root: str, path: str, was: Listed, deep: bool) -> tuple[str, int, int]:
    """Return what is wrong with a file, or nothing; its time now; how many files were read."""
    handle = roots.open(root, path)
    try:
        now = os.fstat(handle)
    finally:
        os.close(handle)
    if now.st_size != was.nbytes:
        return f"it has {now.st_size} bytes instead of {was.nbytes}", now.st_mtime_ns, 0
    if not deep and now.st_mtime_ns == was.mtime_ns:
        return "", now.st_mtime_ns, 0
    listed, _ = listings.look(roots, root, "", path)
    if listed.sha256 != was.sha256:
        return "its bytes changed (sha256)", listed.mtime_ns, 1
    return "", listed.mtime_ns, 1
