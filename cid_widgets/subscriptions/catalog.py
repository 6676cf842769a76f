"""What the list of subscriptions asks of a catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..lib.catalog import Record, Step


class Subscription(Record, Step, Protocol):
    """A template that runs by itself."""

    @property
    def takes(self) -> Mapping[str, Mapping[str, Any]]:
        """The parameters of its version of the template."""

    def refresh(self) -> object:
        """Read it again."""

    def change(self, parameters: Mapping[str, Any], **budget: Any) -> object:
        """Change its budget, or values for the runs to come."""

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
