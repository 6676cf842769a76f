"""What the form and the monitor ask of a catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..lib.catalog import Record


class Steered(Record, Protocol):
    """A run, or a batch of them."""

    def cancel(self) -> object:
        """Ask it to stop."""

    def pause(self) -> object:
        """Let what is queued wait."""

    def resume(self) -> object:
        """Let it go on."""

    def retry(self) -> object:
        """Run again what failed."""


class Run(Steered, Protocol):
    """A run."""


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

    def look(self, order: Any) -> Any:
        """The same of an order with further inputs."""

    def submit(self, order: Any) -> Any:
        """Begin an order."""

    def preview_table(
        self, template: str, csv: str, /, project: str | None = None, **parameters: Any
    ) -> Any:
        """Which cells of a table are wrong."""

    def run_table(
        self, template: str, csv: str, /, project: str | None = None, **parameters: Any
    ) -> Any:
        """Start one run for each row and give the runs."""

    def batch(self, uid: str) -> Steered:
        """One batch, counted."""

    def runs(self, *, batch: str | None, limit: int, state: str | None = None) -> Sequence[Run]:
        """The runs of a batch, or the latest that I may see."""
