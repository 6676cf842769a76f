"""What the trash asks of a catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..lib.catalog import Record


class Thrown(Record, Protocol):
    """What one step threw away."""

    def restore(self) -> object:
        """Bring it back as it was."""

    def purge(self) -> object:
        """Remove it for good."""


class Project(Record, Protocol):
    """A project and its trash."""

    @property
    def trash(self) -> Sequence[Thrown]:
        """What lies in it, newest first."""


class Catalog(Protocol):
    """The question."""

    def project(self, name: str) -> Project:
        """One project."""
