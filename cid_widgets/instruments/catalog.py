"""What the view of microscopes asks of a catalog."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..lib.catalog import Record, Step

Source = str | Mapping[str, Any]


class Version(Protocol):
    """What a microscope was made of from a moment on."""

    uid: str
    valid_from: dt.datetime
    hardware: dict[str, Any]
    why: str
    person: str
    tier: Any

    def since(self, earlier: Any) -> list[str]:
        """What is otherwise than in an earlier version."""


class Described(Protocol):
    """What a description says."""

    name: str
    hardware: dict[str, Any]
    tier: Any

    def since(self, earlier: Any) -> list[str]:
        """What is otherwise than in a version."""


class Instrument(Record, Step, Protocol):
    """A microscope; each change returns what can be taken back."""

    @property
    def versions(self) -> Sequence[Version]:
        """The newest first."""

    @property
    def controls(self) -> Any:
        """What was measured of it; `series` by name, the oldest first."""

    @property
    def query(self) -> str:
        """The search for what it took."""

    def update(self, description: Source, *, valid_from: Any = None, why: str = "") -> object:
        """Say what it is made of."""

    def change(self, **told: Any) -> object:
        """Change name, serial, room or names."""

    def retire(self, retired: bool = True) -> object:
        """Use it no more, or again."""

    def measured(self, measurements: Any, **told: Any) -> Step:
        """Record quality control."""


class Register(Protocol):
    """All of them."""

    def all(self) -> Sequence[Instrument]:
        """By name, the retired ones too."""

    def __getitem__(self, called: str) -> Instrument:
        """The one of this name, uid, serial number or other name."""

    def standing(self) -> Sequence[Any]:
        """How each stands."""

    def check(self, description: Source) -> Described:
        """What a description says."""

    def add(self, name: str, *, serial: str, room: str, names: Sequence[str]) -> Instrument:
        """Register one."""


class Masks(Protocol):
    """What uploads must say."""

    def all(self) -> Sequence[Record]:
        """By name, the retired ones too."""


class Catalog(Protocol):
    """The questions."""

    @property
    def instruments(self) -> Register:
        """The facility's microscopes."""

    @property
    def masks(self) -> Masks:
        """The facility's masks."""

    def whoami(self) -> Any:
        """Whether I am `staff`."""
