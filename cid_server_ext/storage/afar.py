"""What a batch download has of records in place, while they are as they were registered.

Files go out as they lie. What is made of pixels that others wrote is made by a `Maker`, elsewhere:
whoever answers requests decodes no foreign bytes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Protocol

from ..errors import BytesChanged, CidError, NotFound, Unavailable
from . import listings
from .forms import Said
from .inplace import FOLDER, Place, Roots, changed, suspect
from .zipping import PIECE, Changed

PART = 16 << 20  # bytes that are made at once
LINK = "it holds a link, which is not followed: copy what it leads to instead"


class Doubted(BytesChanged):
    """This file of an image in place is not what was registered."""

    def __init__(self, inside: str) -> None:
        super().__init__(str(changed("something in it was changed, came or went")))
        self.inside = inside


class Maker(Protocol):
    """Makes a form of an image in place. Doubted: it changed; BadInput: not in this form."""

    def measure(
        self, folder: Path, form: str, several: Sequence[tuple[Place, Said]]
    ) -> list[int | CidError]:
        """Return how many bytes each will have, or why none. folder: where their root is."""

    def make(
        self, folder: Path, place: Place, form: str, said: Said, part: tuple[int, int]
    ) -> list[bytes]:
        """Return a part of its bytes, from the first number to the second."""


@dataclass(frozen=True, slots=True)
class Afar:
    """A record in place as a batch download remembers it."""

    uid: str
    place: Place

    def told(self) -> list[Any]:
        """Return it as the list on disk has it."""
        return [self.uid, *astuple(self.place)]

    @classmethod
    def of(cls, told: Sequence[Any]) -> Afar:
        """Return what `told` gave."""
        return cls(told[0], Place(*told[1:]))


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a record in place; no sha256 for one that was not hashed.

    name: of one of several, below the record's own. inside: its path in the tree of its home.
    """

    home: Afar
    nbytes: int
    sha256: str
    name: str = ""
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """Where such bytes are read, and where doubts about them are noted."""

    storage: Path
    roots: Roots
    maker: Maker | None = None

    def files(self, home: Afar, prefix: Path, sha256: str) -> Iterator[Found]:
        """Yield its files; raises BytesChanged when they are not as registered, and NotFound.

        prefix: of what is known of them. sha256: of the record.
        """
        try:
            if home.place.form == "file":
                yield Found(home, self._size(home.place), sha256)
            elif home.place.form == "set":
                yield from self._set(home, prefix, sha256)
            else:
                yield from self._tree(home, prefix)
        except Doubted as error:
            suspect(self.storage, home.uid, error.inside)
            raise
        except BytesChanged:
            suspect(self.storage, home.uid)
            raise

    def measure(
        self, form: str, several: Sequence[tuple[Afar, Said]]
    ) -> dict[Afar, int | CidError]:
        """Return how many bytes a form of each image will have, or why none."""
        found: dict[Afar, int | CidError] = {}
        for root in {home.place.root for home, _ in several}:
            some = [(home, said) for home, said in several if home.place.root == root]
            places = [(home.place, said) for home, said in some]
            told = self._maker().measure(self.roots.folder(root), form, places)
            found |= {home: size for (home, _), size in zip(some, told, strict=True)}
        for home, size in found.items():
            if isinstance(size, Doubted):
                suspect(self.storage, home.uid, size.inside)
        return found

    def make(self, home: Afar, form: str, said: Said, part: tuple[int, int]) -> list[bytes]:
        """Return a part of a form; Changed: its pixels are not what they were."""
        try:
            folder = self.roots.folder(home.place.root)
            return self._maker().make(folder, home.place, form, said, part)
        except Doubted as error:
            suspect(self.storage, home.uid, error.inside)
            raise Changed(home.uid) from None

    def _maker(self) -> Maker:
        if self.maker is None:
            raise Unavailable("nothing is made of images in place here: take them as ome-zarr")
        return self.maker

    def _size(self, place: Place) -> int:
        os.close(self.roots.read_place(place))
        return place.nbytes

    def _set(self, home: Afar, prefix: Path, sha256: str) -> Iterator[Found]:
        base = listings.base(self.roots, home.place)
        for was in listings.promised(prefix, sha256):
            path = f"{base}/{was.path}".strip("/")
            place = Place(home.place.root, path, "file", was.nbytes, was.mtime_ns)
            yield Found(Afar(home.uid, place), self._size(place), was.sha256, was.path)

    def _tree(self, home: Afar, prefix: Path) -> Iterator[Found]:
        known = {one.path: one.sha256 for one in listings.read(prefix)}
        top = self.roots.open(home.place.root, home.place.path, FOLDER)
        try:
            for here, folders, names, handle in os.fwalk(".", dir_fd=top):
                folders.sort()
                inside = here.removeprefix(".").lstrip("/")
                if os.fstat(handle).st_mtime_ns > home.place.mtime_ns:
                    raise Doubted(f"{inside}/{names[0] if names else ''}".strip("/"))
                for name in sorted([*names, *folders]):
                    path = f"{inside}/{name}".lstrip("/")
                    now = os.stat(name, dir_fd=handle, follow_symlinks=False)
                    if stat.S_ISDIR(now.st_mode):
                        continue
                    if not stat.S_ISREG(now.st_mode):
                        raise NotFound(LINK)
                    if now.st_mtime_ns > home.place.mtime_ns:
                        raise Doubted(path)
                    yield Found(home, now.st_size, known.get(path, ""), path, path)
        finally:
            os.close(top)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in place, as one of an archive."""

    site: Site
    home: Afar
    inside: str
    nbytes: int

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Give these bytes of it; Changed as soon as it is not what was registered."""
        try:
            handle = self.site.roots.read_place(self.home.place, self.inside)
        except (BytesChanged, NotFound):
            suspect(self.site.storage, self.home.uid, self.inside)
            raise Changed(self.inside) from None
        with os.fdopen(handle, "rb", buffering=0) as file:
            was = os.fstat(file.fileno())
            file.seek(start)
            while start < stop and (piece := file.read(min(PIECE, stop - start))):
                now = os.fstat(file.fileno())
                if (now.st_size, now.st_mtime_ns) != (self.nbytes, was.st_mtime_ns):
                    suspect(self.site.storage, self.home.uid, self.inside)
                    raise Changed(self.inside)
                start += len(piece)
                yield piece


@dataclass(frozen=True, slots=True)
class Made:
    """A form of an image in place, as a file of an archive."""

    site: Site
    home: Afar
    form: str
    said: Said
    nbytes: int

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Give these bytes of it; Changed as soon as its pixels are not what was registered."""
        while start < stop:
            part = start, min(start + PART, stop)
            yield from self.site.make(self.home, self.form, self.said, part)
            start = part[1]
