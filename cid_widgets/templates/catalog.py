"""What the list of templates asks of a catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..lib.catalog import Record


class Version(Record, Protocol):
    """One version of a template."""

    def versions(self) -> Sequence[Version]:
        """Every version, newest first, withdrawn ones too."""

    def diff(self, to: str) -> Record:
        """What changed from this version to another."""

    def withdraw(self, reason: str) -> object:
        """Let nobody run it any more."""


class Catalog(Protocol):
    """The questions."""

    def templates(self) -> Sequence[Version]:
        """The newest version of each that I may run."""

    def project(self, name: str) -> Record:
        """One project."""

    def whoami(self) -> Any:
        """My `name`, and whether I am `staff`."""
