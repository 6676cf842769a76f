"""What a card asks of a catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ..lib.catalog import Record, Step


class Tags(Protocol):
    """A record and what is said of it."""

    uid: str
    name: str
    kind: str
    project: str
    tags: Sequence[Mapping[str, Any]]


class Term(Record, Step, Protocol):
    """A term of the vocabulary; `similar` are keys that are spelled much like it."""

    similar: Sequence[str]

    def values(self, prefix: str, *, project: str) -> Sequence[Any]:
        """Its values with a word that begins so, the most used first."""

    def declare(self, values: Iterable[Any]) -> Step:
        """Make values part of the vocabulary."""


class Project(Record, Protocol):
    """A project with the words that it says things in."""

    def card(self) -> Mapping[str, Any]:
        """Its vocabulary as JSON Schema."""

    def terms(self) -> Iterable[Term]:
        """The facility's and its own."""

    def add_term(self, key: str, **how: Any) -> Term:
        """Declare one of its own."""


class Annotated(Step, Protocol):
    """What was said, or would be: how many records were looked at and changed, and by key."""

    records: int
    changed: int
    keys: Mapping[str, Mapping[str, Any]]


class Catalog(Protocol):
    """The questions."""

    def tags(self, records: Any, *, limit: int) -> Sequence[Tags]:
        """What is said of records now."""

    def annotate(self, records: Any, **how: Any) -> Annotated:
        """Say the same of many: `set`, `add`, `remove`; `dry` only tells what would happen."""

    def project(self, name: str) -> Project:
        """One project."""
