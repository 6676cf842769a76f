"""What the form and the monitor ask of a catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..lib.catalog import Record


class Run(Record, Protocol):
    """A run."""

    def cancel(self) -> object:
        """Ask it to stop."""


class Catalog(Protocol):
    """The questions."""

    def image(self, uid: str) -> Record:
        """One image, with a fresh ticket."""

    def file(self, uid: str) -> Record:
        """One file, with a fresh ticket."""

    def templates(self) -> Sequence[Record]:
        """The newest version of each template."""

    def preflight(self, template: str, images: Any, /, **parameters: Any) -> Any:
        """What would become of that, image by image."""

    def run(self, template: str, images: Any, /, **parameters: Any) -> Any:
        """Start one run for each image and give the runs."""

    def runs(self, *, batch: str | None, limit: int) -> Sequence[Run]:
        """The runs of a batch, or the latest that I may see."""
