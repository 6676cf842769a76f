"""What a catalog tells of room and money."""

from __future__ import annotations

from ..wire.session import Session
from .invoices import Prices, prices
from .usage import Overview, of_all


class Accounts:
    """The part of a catalog that is about what is held and what it costs."""

    session: Session

    def usage(self) -> Overview:
        """Return what the teams hold that I lead, and my projects in others; all for staff."""
        return of_all(self.session)

    def prices(self) -> list[Prices]:
        """Return all versions of the price list, the newest first."""
        return prices(self.session)
