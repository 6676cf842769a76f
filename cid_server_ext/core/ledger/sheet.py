"""An invoice as CSV (RFC 4180, UTF-8 with its mark, so that a spreadsheet opens it as it is)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from .invoices import EXACT, PRICED, Invoice, Position

COLUMNS = (
    "row", "invoice", "status", "project", "title", "kind", "tariff", "price list", "what",
    "name", "uid", "amount", "amount in", "quantity", "quantity in", "unit price", "net",
    "vat percent", "vat", "total", "currency",
)  # fmt: skip
UNITS = {
    "storage": ("byte-days", "TB-years"),
    "archive": ("byte-days", "TB-years"),
    "gpu": ("seconds", "hours"),
    "cpu": ("seconds", "hours"),
}


def as_csv(invoice: Invoice) -> bytes:
    """Return the whole invoice: each position with its parts below it, VAT by rate, the total."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    same = {
        "invoice": invoice.number,
        "status": "provisional" if invoice.provisional else "final",
        "currency": invoice.currency,
    }
    for row in _rows(invoice):
        writer.writerow(same | row)
    return text.getvalue().encode("utf-8-sig")


def quantity(kind: str, amount: int) -> Decimal:
    """Return an amount in the unit that has a price, with six decimals."""
    return EXACT.divide(amount, PRICED[kind][1]).quantize(Decimal("1e-6"), ROUND_HALF_UP, EXACT)


def harmless(text: str) -> str:
    """Return text of people so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def _rows(invoice: Invoice) -> Iterator[dict[str, str]]:
    for position in invoice.positions:
        yield from _of(position)
    for tax in invoice.taxes:
        yield {
            "row": "vat",
            "net": str(tax.net),
            "vat percent": f"{tax.rate.normalize():f}",
            "vat": str(tax.vat),
        }
    yield {
        "row": "total",
        "net": str(invoice.net),
        "vat": str(invoice.vat),
        "total": str(invoice.total),
    }


def _of(position: Position) -> Iterator[dict[str, str]]:
    small, large = UNITS[position.kind]
    same = {
        "project": position.project,
        "title": harmless(position.title),
        "kind": position.kind,
        "tariff": position.tariff,
        "price list": str(position.version),
        "amount in": small,
        "quantity in": large,
        "unit price": str(position.price),
    }
    yield same | {
        "row": "position",
        "uid": position.uid,
        "amount": str(position.amount),
        "quantity": str(quantity(position.kind, position.amount)),
        "net": str(position.cost),
        "vat percent": f"{position.vat.normalize():f}",
    }
    for part in position.parts:
        yield same | {
            "row": "part",
            "what": part.what,
            "name": harmless(part.name),
            "uid": part.uid,
            "amount": str(part.amount),
            "quantity": str(quantity(position.kind, part.amount)),
            "net": str(part.cost),
        }
