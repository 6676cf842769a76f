"""What every stored record can do, an image or any other file: said of, renamed, moved, thrown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from ..history.entries import Entry, history
from ..history.trash import Trash, throw
from ..wire import given
from ..wire.session import segment
from . import datasets
from .changing import Changing
from .datasets import Dataset
from .inplace import InPlace
from .notes import Noted
from .record import Field, Listing

Value = str | int | float
Values = Value | list[Value] | list[str] | list[int] | list[float]
LATEST = 50
FOLDER = "inode/directory"  # media type of what is a folder of files


class Stored(Changing, Noted):
    """A record with bytes: it lies in a dataset, has tags, and its bytes never change."""

    kind_of: str  # what the journal calls it

    name = Field[str]()
    kind = Field[str]()
    project = Field[str]()
    dataset = Field[str]()  # the path of its dataset
    nbytes = Field[int]()
    sha256 = Field[str]()
    run = Field["str | None"]()  # uid of the run that made it
    created_by = Field[str]()
    created_at = Field[str]()

    @property
    def subject(self) -> str:
        """What the journal calls it."""
        return f"{self.kind_of}:{self.record['uid']}"

    @property
    def in_place(self) -> InPlace | None:
        """Where its bytes lie and how they are; None: in the catalog's storage."""
        return InPlace.of(self.wire("in_place"))

    @property
    def tags(self) -> dict[str, Value | list[Value]]:
        """Its tags; a tag that is a number is one here, several values of one key are a list."""
        found: dict[str, list[Value]] = {}
        for tag in self.wire("tags"):
            value = tag["value"] if tag.get("number") is None else tag["number"]
            found.setdefault(tag["key"], []).append(value)
        return {key: many[0] if len(many) == 1 else many for key, many in found.items()}

    def tag(self, values: Mapping[str, Values] | None = None, /, **more: Values) -> Self:
        """Set tags: `image.tag(Staining="DAPI")` or `image.tag({"Cell type": "HeLa"})`.

        A list is several values of one key. `snapped` and `similar` then say how it was taken.
        """
        told: dict[str, dict[str, Any]] = {"snapped": {}, "similar": {}}
        for key, value in {**(values or {}), **more}.items():
            self._changed("PUT", f"/tags/{segment(key)}", {"value": value})
            for how, found in told.items():
                found.update(self.record.get(how) or {})
        self.record.update(told)
        return self

    @property
    def snapped(self) -> dict[str, str]:
        """Spellings that the last `tag()` took otherwise: as given -> as the vocabulary has it."""
        return dict(self.record.get("snapped") or {})

    @property
    def similar(self) -> dict[str, list[str]]:
        """Spellings that the last `tag()` kept though there are others much like them."""
        return dict(self.record.get("similar") or {})

    def untag(self, key: str) -> Self:
        """Take one tag off."""
        return self._changed("DELETE", f"/tags/{segment(key)}")

    def rename(self, name: str) -> Self:
        """Give it another name for people; its uid and bytes stay."""
        return self._changed("PATCH", body={"name": given.text(name, "a name")})

    def move(self, dataset: Dataset | str) -> Self:
        """Put it into another dataset: a path in its project, or `catalog.dataset(...)`'s."""
        if isinstance(dataset, str):
            dataset = datasets.dataset(self.session, self.project, dataset)
        return self._changed("PATCH", body={"dataset": dataset.uid})

    def history(self, limit: int = LATEST) -> Listing[Entry]:
        """Return what was done to it alone, newest first; its project's history has the rest."""
        return history(self.session, limit, about=self.subject)

    def trash(self, *, force: bool = False) -> Trash:
        """Throw it away; `restore()` of what is returned brings it back as it was.

        Conflict: runs wait for it. With `force` these fail, with its name.
        """
        return throw(self.session, [self.uid], force=force)
