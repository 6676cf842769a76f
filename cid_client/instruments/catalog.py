"""What a catalog tells of the facility's microscopes."""

from __future__ import annotations

from ..wire.session import Session
from .instruments import Register


class Instruments:
    """The part of a catalog that is about microscopes."""

    session: Session

    @property
    def instruments(self) -> Register:
        """The facility's microscopes, by name: `catalog.instruments["Confocal 1"]`."""
        return Register(self.session)
