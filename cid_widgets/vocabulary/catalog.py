"""What the view of a vocabulary asks of a catalog."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from ..lib.catalog import Found, Record, Step


class Renamed(Step, Protocol):
    """What became of a value."""

    uses: int
    merged: bool


class Term(Record, Step, Protocol):
    """A term; each change returns what can be taken back."""

    def values(self, prefix: str, *, project: str | None, limit: int) -> Sequence[Any]:
        """Its values with a word that begins so, the most used first."""

    def declare(self, values: Iterable[Any]) -> Step:
        """Make values part of the vocabulary."""

    def change(self, **what: Any) -> Term:
        """Change key, help, unit, many, pattern, link or retired."""

    def merge(self, into: Any) -> Term:
        """Give every use to another term."""

    def rename_value(self, value: Any, to: str, *, project: str | None) -> Renamed:
        """Call a value otherwise, or merge it into the one that is called so."""


class Project(Record, Protocol):
    """A project with the terms that it sees."""

    def terms(self) -> Iterable[Term]:
        """The facility's and its own."""

    def add_term(self, key: str, **how: Any) -> Term:
        """Declare one of its own."""


class Catalog(Protocol):
    """The questions."""

    def whoami(self) -> Any:
        """Whether I am `staff`."""

    def project(self, name: str) -> Project:
        """One project."""

    def terms(self) -> Iterable[Term]:
        """The facility's terms."""

    def add_term(self, key: str, **how: Any) -> Term:
        """Declare one of the facility's."""

    def records(self, query: str = "", *, project: str | None) -> Found:
        """Images and files that match."""
