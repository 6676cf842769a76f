"""What the view of masks asks of a catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ..lib.catalog import Record, Step

Source = str | Mapping[str, Any]


class Mask(Record, Step, Protocol):
    """A mask; each change returns what can be taken back."""

    def at(self, number: int) -> Any:
        """One version whole: `text`, and `changes` of the one before."""

    def save(self, source: Source, note: str = "") -> Mask:
        """Make the next version."""

    def retire(self, retired: bool = True) -> Mask:
        """Use it no more, or again."""


class Masks(Protocol):
    """All of them."""

    def all(self) -> Sequence[Mask]:
        """By name, the retired ones too."""

    def __getitem__(self, called: str) -> Mask:
        """One by name or uid, whole."""

    def save(self, source: Source, note: str = "") -> Mask:
        """Save a document as a new mask, or the next version of that name."""

    def check(self, files: Iterable[str] = (), *, source: Source | None = None) -> Any:
        """What files of these names would say by a draft: `wrong`, `files`, `text`, `document`."""


class Catalog(Protocol):
    """The questions."""

    @property
    def masks(self) -> Masks:
        """The facility's masks."""

    @property
    def instruments(self) -> Iterable[Record]:
        """The facility's microscopes."""

    def whoami(self) -> Any:
        """Whether I am `staff`."""
