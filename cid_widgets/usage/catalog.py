"""What a usage view asks of a catalog."""

from __future__ import annotations

from typing import Any, Protocol

from ..lib.catalog import Record


class Invoice(Record, Protocol):
    """An invoice."""

    def content(self, form: str) -> bytes:
        """Return it as "csv" or "pdf"."""

    def save(self, path: Any) -> Any:
        """Write it, CSV or PDF by the file's name; return the path."""


class Project(Protocol):
    """A project that tells what it holds."""

    def usage(self, *, dataset: str | None) -> Record:
        """Return its usage; with a dataset's uid, the people of this dataset."""


class Team(Protocol):
    """A team that tells what it holds and owes."""

    def usage(self) -> Record:
        """Return its usage."""

    def invoice(self, period: str) -> Invoice:
        """Return its invoice of "2026-10", "2026-Q3" or "2026"."""


class Catalog(Protocol):
    """The questions."""

    def usage(self) -> Record:
        """The teams that I lead (all for staff) and my projects in others."""

    def team(self, name: str) -> Team:
        """One team."""

    def project(self, name: str) -> Project:
        """One project."""
