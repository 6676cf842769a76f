"""What machine time costs by the prices of today, as an invoice would charge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Project
from ...errors import Conflict
from ..ledger import invoices, prices
from ..ledger.invoices import EXACT, PRICED


@dataclass(frozen=True, slots=True)
class Price:
    """What is to be paid, VAT included."""

    total: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.total} {self.currency}"


def today(session: Session, seconds: Mapping[Project, Mapping[str, float]]) -> Price | None:
    """Return what so many seconds of "cpu" and of "gpu" cost; None: no prices are published.

    Each project is a position of its team's tariff, for either.
    """
    try:
        valid = prices.on(clock.now(session).date(), prices.known(session))
    except Conflict:
        return None
    nets: dict[tuple[int, Decimal], Decimal] = {}
    for project, took in seconds.items():
        of = valid.tariffs[project.team.tariff]
        for kind, amount in took.items():
            name, per = PRICED[kind]
            exact = EXACT.multiply(Decimal(round(amount)), of[name])
            key = (project.team_id, of["vat"])
            nets[key] = nets.get(key, Decimal(0)) + invoices.cents(EXACT.divide(exact, per))
    vat = (invoices.cents(EXACT.divide(net * rate, 100)) for (_, rate), net in nets.items())
    total = sum(nets.values(), Decimal("0.00")) + sum(vat, Decimal(0))
    return Price(total, valid.currency)
