"""What the list of subscriptions asks of a catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..lib.catalog import Record, Step


class Subscription(Record, Step, Protocol):
    """A template that runs by itself."""

    def pause(self) -> object:
        """Let it submit nothing."""

    def resume(self) -> object:
        """Let it go on."""

    def also_existing(self) -> object:
        """Run it on what matched before it began."""

    def end(self) -> object:
        """End it."""


class Project(Record, Protocol):
    """A project and what runs by itself in it."""

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """Those that have not ended, newest first."""


class Me(Protocol):
    """Who I am to the catalog."""

    @property
    def name(self) -> str:
        """My name."""


class Catalog(Protocol):
    """The questions."""

    def whoami(self) -> Me:
        """Who I am."""

    def project(self, name: str) -> Project:
        """One project."""
