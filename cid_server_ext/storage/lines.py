"""What an archive is asked for, and what it has: a line a file, and where its bytes come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import zipping
from .afar import Afar, Kept, Made, Site
from .forms import Computed, Said
from .inplace import Place
from .zipping import Stored

NOTHING_SAID = Said("", "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file or folder `stored` below a prefix, and the folder and name it has in the archive.

    form: what an image's store is made into on the way, with what is `said` of it; or as it lies.
    place: where that is, if not below the prefix.
    """

    way: tuple[str, ...]
    name: str
    prefix: str
    stored: str
    sha256: str
    at: int
    form: str = ""
    said: Said = NOTHING_SAID
    place: Place | None = None

    @property
    def home(self) -> Afar:
        """The record in place, for what is one."""
        assert self.place is not None
        return Afar(self.prefix.rpartition("/")[2], self.place)


@dataclass(frozen=True, slots=True)
class Absent:
    """What is wanted and not in the archive, and why."""

    wanted: Wanted
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """A file of the archive: its path there, its key, its bytes; no sha256 where none is known.

    form: what is made of the image at `key`, in which version of it. home: a record that stays
    where it is; then `key` is a path in it.
    """

    path: str
    key: str
    nbytes: int
    sha256: str
    at: int
    form: str = ""
    version: int = 0
    said: Said = NOTHING_SAID
    home: Afar | None = None

    def told(self, homes: dict[Afar, int]) -> list[Any]:
        """Return it as the list on disk has it; `homes` are numbered there."""
        told = [self.path, self.key, self.nbytes, self.sha256, self.at]
        home = homes.setdefault(self.home, len(homes)) if self.home else None
        if not self.form and home is None:
            return told
        said = self.said
        return [*told, home, self.form, self.version, said.uid, said.name, said.tags]

    @classmethod
    def of(cls, told: Sequence[Any], homes: Sequence[Afar]) -> Line:
        """Return a line from the list on disk."""
        plain, more = told[:5], told[5:]
        if not more:
            return cls(*plain)
        home, form, version, uid, name, tags = more
        said = Said(uid, name, tuple((key, value) for key, value in tags))
        return cls(*plain, form, version, said, None if home is None else homes[home])

    def source(self, site: Site) -> zipping.Source:
        """Return its bytes."""
        if self.home and self.form:
            return Made(site, self.home, self.form, self.said, self.nbytes)
        if self.home:
            return Kept(site, self.home, self.key, self.nbytes)
        if self.form:
            return Computed(site.storage / self.key, self.form, self.said, self.nbytes)
        return Stored(site.storage / self.key, self.nbytes)
