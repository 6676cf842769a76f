"""What the browser asks of a catalog; it also tags and runs what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from ..lib.catalog import Found, Record
from ..runs import catalog as runs
from ..tags import catalog as tags


class Dataset(Protocol):
    """A dataset of a project."""

    def change(self, *, query: str) -> object:
        """Let a live one look for something else."""


class Project(tags.Project, Protocol):
    """A project; a row of a list may lack its datasets."""

    def refresh(self) -> Record:
        """Read the whole record again."""

    def dataset(self, path: str) -> Dataset:
        """One of its datasets."""

    def make_dataset(self, path: str, query: str | None = None) -> object:
        """Make a dataset; with a query it is live."""


class Step(Protocol):
    """A run in a lineage."""

    run: str
    template: str
    version: str
    state: str
    person: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Lineage(Protocol):
    """What an image was made from, and what was made from it."""

    @property
    def runs(self) -> Sequence[Step]:
        """The runs that made it or read it."""

    @property
    def parents(self) -> Sequence[Record]:
        """The images it was made from."""

    @property
    def children(self) -> Sequence[Record]:
        """The images that runs made from it."""


class Image(Record, Protocol):
    """An image."""

    def rename(self, name: str) -> object:
        """Give it another name for people."""

    def lineage(self) -> Lineage:
        """Its parents and children, as far as they may be seen."""


class Images(Found, Protocol):
    """Images that match; only what is sliced is read."""

    def __getitem__(self, part: slice, /) -> Sequence[Image]:
        """Some of them, read page by page."""

    def __iter__(self) -> Iterator[Image]:
        """All of them, read page by page."""


class Catalog(tags.Catalog, runs.Catalog, Protocol):
    """The questions."""

    def projects(self) -> Sequence[Project]:
        """Projects I reach."""

    def project(self, name: str) -> Project:
        """One project."""

    def search(
        self,
        query: str = "",
        *,
        project: str | None,
        dataset: str | None,
        kind: str | None,
        sort: str | None,
    ) -> Images:
        """Images that match, in this order; nothing is asked before somebody looks."""

    def image(self, uid: str) -> Image:
        """One image, with a fresh ticket."""

    def move(self, records: Any, dataset: Any) -> Any:
        """Put images into a dataset, and give the step with its `undo`."""

    def trash(self, records: Any) -> Any:
        """Throw images away, and give what `restore` brings back."""

    def archive(self, records: Any, as_: Any) -> Any:
        """What a download of them would bring, in this form: its address and size."""

    def complete(self, text: str) -> Sequence[Any]:
        """What the last word of a query may become."""

    def top(self, limit: int) -> Sequence[Any]:
        """The tags that most records have."""
