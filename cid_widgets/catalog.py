"""What a widget asks of a catalog. `cid_client` answers; a test's three-line fake does too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Record(Protocol):
    """Anything the catalog tells of; `record` is its answer as docs/developer/api.md shows it."""

    @property
    def record(self) -> Mapping[str, Any]:
        """The fields as they came."""


class Project(Record, Protocol):
    """A project; a row of a list may lack its datasets."""

    def refresh(self) -> Record:
        """Read the whole record again."""


class Lineage(Protocol):
    """What an image was made from, and what was made from it."""

    @property
    def parents(self) -> Sequence[Record]:
        """The images it was made from."""

    @property
    def children(self) -> Sequence[Record]:
        """The images that runs made from it."""


class Image(Record, Protocol):
    """An image."""

    def lineage(self) -> Lineage:
        """Its parents and children, as far as they may be seen."""


class Run(Record, Protocol):
    """A run."""

    def cancel(self) -> object:
        """Ask it to stop."""


class Catalog(Protocol):
    """The questions."""

    def projects(self) -> Sequence[Project]:
        """Projects I reach."""

    def search(
        self, query: str = "", *, project: str | None, dataset: str | None, kind: str | None
    ) -> Sequence[Image]:
        """Images that match, newest first; only what is sliced is read."""

    def image(self, uid: str) -> Image:
        """One image, with a fresh ticket."""

    def file(self, uid: str) -> Record:
        """One file, with a fresh ticket."""

    def templates(self) -> Sequence[Record]:
        """The newest version of each template."""

    def run(self, template: str, images: list[Any], /, **parameters: Any) -> Any:
        """Start one run for each image and give the runs."""

    def runs(self, *, batch: str | None, limit: int) -> Sequence[Run]:
        """The runs of a batch, or the latest that I may see."""
