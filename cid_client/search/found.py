"""The records a question found: read page by page, as far as somebody looks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, overload

from .. import display
from ..downloads.batch import As, Downloaded, download
from ..downloads.fetching import Progress
from ..errors import BadInput
from ..records.files import File
from ..records.images import Image, thumbnail_or_none
from ..records.record import Chosen, uids
from ..tags import sheets
from ..wire import given
from ..wire.session import Session
from . import conditions
from .facets import Facet

S = TypeVar("S", bound=Image | File)

PAGE = 50
LONGEST = 2000  # characters of a query
ANY = object()
SHOWN = 24  # thumbnails in a notebook


def asked(
    query: str,
    project: str | None,
    dataset: str | None,
    more: Mapping[str, Any],
    kind: str | None = None,
    sort: str | None = None,
) -> dict[str, Any]:
    """Return a question as the catalog takes it; `more` are conditions, maybe kind and sort too."""
    given.text(query, "a query", empty=True)
    for what, name in (("dataset: its path", dataset), ("kind", kind), ("sort", sort)):
        given.text(name or "", what, empty=True)
    rest = {"kind": kind, "sort": sort, **more}
    shown = {"kind": rest.pop("kind"), "sort": rest.pop("sort")}
    text = conditions.text(query, rest) or None
    return {"q": text, "project": project, "dataset": dataset, **shown}


class Found(Sequence[S], Generic[S]):
    """A sequence of records, newest first, that asks for the next page when it is needed.

    Iterate it, index it, slice it, or make a list of it; `len()` is known only once all pages have
    been read. `count()` asks the catalog for the number.
    """

    collection: ClassVar[str]
    kinds: ClassVar[str] = ""  # what is found where no kind is asked; all when empty

    def __init__(self, session: Session, asked: dict[str, Any], limit: int | None = None) -> None:
        self.session = session
        self.asked = asked
        self.limit = limit
        self._read: list[S] = []
        self._after: Any = None
        self._ended = limit is not None and limit <= 0

    @property
    def query(self) -> str | None:
        """All that is asked as one query; None when it means the records that were seen.

        It does when it was read to its end, or has a limit.
        """
        if self._ended or self.limit is not None:
            return None
        places = (("project", self.asked["project"]), ("in", self.asked["dataset"]))
        said = [conditions.condition(key, value) for key, value in places if value]
        whole = conditions.joined(self._text(), *said)
        return whole if len(whole) <= LONGEST else None

    def count(self, value: Any = ANY) -> int:
        """Return how many there are, as the catalog counts them; none of them is read."""
        if value is not ANY:
            return super().count(value)
        n = int(self.session.get("search/count", **self._inside())["count"])
        return n if self.limit is None else min(n, self.limit)

    def download(
        self,
        to: str | os.PathLike[str] = ".",
        as_: As = "originals",
        on_progress: Progress | None = None,
    ) -> Downloaded:
        """Bring all that is found here; see `Catalog.download`."""
        return download(self.session, named(self, "records"), to, as_, on_progress)

    def facets(self, *keys: str) -> dict[str, Facet]:
        """Return what the keys have among all that was found: values with counts, and numbers."""
        answer = self.session.get("search/facets", **self._inside(), keys=list(keys))
        return {told["key"]: Facet.of(told) for told in answer["facets"]}

    def __iter__(self) -> Iterator[S]:
        for index in count():
            if not self._reach(index + 1):
                return
            yield self._read[index]

    @overload
    def __getitem__(self, index: int) -> S: ...
    @overload
    def __getitem__(self, index: slice) -> list[S]: ...
    def __getitem__(self, index: int | slice) -> S | list[S]:
        if isinstance(index, slice):
            ends = (index.start or 0, -1 if index.stop is None else index.stop)
            self._reach(None if min(ends) < 0 else max(ends))
            return self._read[index]
        self._reach(None if index < 0 else index + 1)
        return self._read[index]

    def __len__(self) -> int:
        if not self._ended:
            raise TypeError("not all pages are read, so the number is unknown: use list(search)")
        return len(self._read)

    def __bool__(self) -> bool:
        return self._reach(1)

    def __repr__(self) -> str:
        if not self._ended:
            return f"<{type(self).__name__} {len(self._read)} read, there may be more>"
        return f"<{type(self).__name__} {len(self._read)} found>"

    def _text(self) -> str:
        """Return what is asked of records of any kind, so that only these are found."""
        kind = self.asked["kind"]
        only = conditions.literal("kind", kind) if kind else self.kinds
        return conditions.joined(self.asked["q"] or "", f"kind:{only}" if only else "")

    def _inside(self) -> dict[str, Any]:
        """Return the same with the places beside it, as counts and facets take it."""
        places = {"project": self.asked["project"], "dataset": self.asked["dataset"]}
        return {"q": self._text(), **places}

    def _reach(self, wanted: int | None) -> bool:
        """Read pages until `wanted` images are there (None: all); return whether they are."""
        while not self._ended and (wanted is None or len(self._read) < wanted):
            self._next_page()
        return wanted is None or len(self._read) >= wanted

    def _next_page(self) -> None:
        room = PAGE if self.limit is None else min(PAGE, self.limit - len(self._read))
        answer = self.session.get(self.collection, **self.asked, limit=room, after=self._after)
        self._read += [self._make(row) for row in answer[self.collection]]
        self._after = answer.get("next")
        full = self.limit is not None and len(self._read) >= self.limit
        self._ended = self._after is None or full

    def _make(self, row: Mapping[str, Any]) -> S:
        raise NotImplementedError


class Search(Found[Image]):
    """Images; a notebook shows their thumbnails."""

    collection = "images"
    kinds = "image,labels"

    def sheet(self, path: str | os.PathLike[str]) -> Path:
        """Write the tags to a spreadsheet, CSV or XLSX by its name: one row an image.

        Edit it, look at `catalog.preview(path, project)`, and apply that. Needs a project.
        """
        project = self.asked["project"]
        if not project:
            raise BadInput("a sheet is of one project: catalog.search(..., project=...)")
        return sheets.save(self.session, Path(path), project, self._text(), self.asked["dataset"])

    def _repr_html_(self) -> str:
        more = self._reach(SHOWN + 1)
        shown = self._read[:SHOWN]
        if not shown:
            return "<em>no image matches</em>"
        with ThreadPoolExecutor(8) as pool:
            pictures = list(pool.map(thumbnail_or_none, shown))
        tiles = [
            (png, image.name, f"{image.project} {image.axes} {'×'.join(map(str, image.shape))}")
            for png, image in zip(pictures, shown, strict=True)
        ]
        return display.gallery(tiles, "and more" if more else _count(len(shown)))

    def _make(self, row: Mapping[str, Any]) -> Image:
        return Image(self.session, row)


class RecordSearch(Found[Image | File]):
    """Images and other files alike."""

    collection = "records"

    def _repr_html_(self) -> str:
        more = self._reach(SHOWN + 1)
        lines = [
            (one.name, one.kind, display.size(one.nbytes), one.project, one.dataset)
            for one in self._read[:SHOWN]
        ]
        if not lines:
            return "<em>nothing matches</em>"
        shown = display.table(["name", "kind", "size", "project", "dataset"], lines)
        return f"{shown}<div>and more</div>" if more else shown

    def _make(self, row: Mapping[str, Any]) -> Image | File:
        pixels = row["kind"] in ("image", "labels")
        return Image(self.session, row) if pixels else File(self.session, row)


def named(chosen: Chosen, word: str) -> dict[str, Any]:
    """Return the part of a body that names records: a search's query, else uids under `word`.

    A search that was read to its end, or that has a limit, means the images that were seen.
    """
    if isinstance(chosen, Found) and chosen.query is not None:
        return {"query": chosen.query}
    return {word: uids(chosen)}


def _count(images: int) -> str:
    return "1 image" if images == 1 else f"{images} images"
