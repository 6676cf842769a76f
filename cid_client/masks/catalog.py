"""What a catalog tells of masks."""

from __future__ import annotations

from ..wire.session import Session
from .masks import Masks


class HasMasks:
    """The part of a catalog that is about what uploads must say."""

    session: Session

    @property
    def masks(self) -> Masks:
        """The facility's masks, by name: `catalog.masks["Confocal 1"]`."""
        return Masks(self.session)
