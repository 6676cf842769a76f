"""What would the archive save: the difference of two prices of today, for the bytes online."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from ...db import clock
from ...errors import Conflict
from . import invoices, prices
from .holdings import Bytes

TERABYTE = 10**12  # bytes
MONTHS = 12  # in a year


@dataclass(frozen=True, slots=True)
class Saving:
    """What `nbytes` cost less in the archive, in `month` and `year`, without VAT.

    Negative where the archive is dearer. Rounded to cents, each from the exact amount.
    """

    nbytes: int
    month: Decimal
    year: Decimal
    currency: str


def today(session: Session) -> Callable[[str, Bytes], Saving | None]:
    """Return what tells a tariff's saving for bytes, by the prices of today; None: there are none.

    What is online could go. What lies in the trash cannot, and goes by itself.
    """
    try:
        valid = prices.on(clock.now(session).date(), prices.known(session))
    except Conflict:
        return lambda tariff, held: None

    def told(tariff: str, held: Bytes) -> Saving:
        of = valid.tariffs[tariff]
        less = invoices.EXACT.subtract(of["tb_year"], of["archive_tb_year"])
        year = invoices.EXACT.divide(invoices.EXACT.multiply(held.online, less), TERABYTE)
        month = invoices.cents(invoices.EXACT.divide(year, MONTHS))
        return Saving(held.online, month, invoices.cents(year), valid.currency)

    return told
