"""What a team owes for a period, and the prices that it is computed from; amounts are text."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import display
from ..errors import BadInput
from ..wire.session import Session, segment

FORMATS = ("csv", "pdf")


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice; `provisional` until every day of its period is charged.

    `positions` are mappings, one for each project, kind, tariff and version of the prices; the
    costs of a position's `parts` (datasets or runs) add up to its `cost`. `taxes` say the VAT by
    rate. `record` is the catalog's answer as it came.
    """

    number: str
    team: str
    title: str
    address: str
    period: str
    first: str
    last: str
    provisional: bool
    currency: str
    positions: list[dict[str, Any]]
    taxes: list[dict[str, Any]]
    net: str
    vat: str
    total: str
    record: dict[str, Any] = field(repr=False)
    session: Session = field(repr=False)

    def content(self, form: str) -> bytes:
        """Return the invoice as "csv" or "pdf", as the catalog makes it."""
        if form not in FORMATS:
            raise BadInput(f"{form!r}: an invoice comes as {' or '.join(FORMATS)}")
        return self.session.content(f"{_path(self.team, self.period)}/{form}")

    def save(self, path: str | Path) -> Path:
        """Write it to `path`, as CSV or PDF by its name, and return that."""
        path = Path(path)
        path.write_bytes(self.content(path.suffix.lower().lstrip(".")))
        return path

    def _repr_html_(self) -> str:
        head = ["project", "kind", "quantity", "price", "cost"]
        lines = [[one[word] for word in head] for one in self.positions]
        rows = [*lines, ["", "", "", "VAT", self.vat], ["", "", "", self.currency, self.total]]
        return display.cell(self._called()) + display.table(head, rows)

    def _called(self) -> str:
        return f"{self.number}, provisional" if self.provisional else self.number


@dataclass(frozen=True, slots=True)
class Prices:
    """One version of the prices, valid from a day on, without VAT.

    `tariffs`: kind of customer -> price of each thing, decimal numbers as text.
    """

    version: int
    valid_from: str
    currency: str
    tariffs: dict[str, dict[str, str]]


def invoice(session: Session, team: str, period: str) -> Invoice:
    """Return the invoice of a team for a month, a quarter or a year."""
    told = session.get(_path(team, period))
    known = {key: told[key] for key in Invoice.__dataclass_fields__ if key in told}
    return Invoice(**known, record=told, session=session)


def prices(session: Session) -> list[Prices]:
    """Return all versions of the price list, the newest first."""
    listed = session.get("prices")["prices"]
    return [Prices(**{key: one[key] for key in Prices.__dataclass_fields__}) for one in listed]


def _path(team: str, period: str) -> str:
    return f"teams/{segment(team)}/invoices/{segment(period)}"
