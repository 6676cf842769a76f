"""An invoice as PDF: the same bytes whenever it is made, whatever people are called."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

from . import glyphs
from .invoices import Invoice, Part, Position
from .sheet import UNITS, quantity

MOST = 40  # parts of a position on paper; the CSV has all
LONGEST = 200  # characters of a name on paper
EDGE = 18 * mm
COLUMNS = (72 * mm, 31 * mm, 23 * mm, 26 * mm, 22 * mm)
GREY = colors.HexColor("#666666")
RULE = colors.HexColor("#bbbbbb")

TEXT = ParagraphStyle("text", fontName=glyphs.PLAIN, fontSize=8, leading=11, splitLongWords=1)
SMALL = ParagraphStyle("small", TEXT, fontSize=7, leading=9, textColor=GREY)
RIGHT = ParagraphStyle("right", TEXT, alignment=2)
SMALL_RIGHT = ParagraphStyle("small right", SMALL, alignment=2)
TITLE = ParagraphStyle("title", TEXT, fontName=glyphs.BOLD, fontSize=15, leading=20)

RULES = (
    "A terabyte (TB) is 10^12 bytes and a year 365 days, also when it has 366. Days are days of "
    "UTC; a day is charged for the bytes held at its end, those in the trash included. Each "
    "position is rounded to cents, half a cent up; sums are sums of rounded positions; VAT is "
    "rounded once for each rate."
)


def as_pdf(invoice: Invoice) -> bytes:
    """Return the invoice on A4 pages; of each position the largest parts are shown."""
    glyphs.load()
    paper = io.BytesIO()
    document = SimpleDocTemplate(
        paper,
        pagesize=A4,
        leftMargin=EDGE,
        rightMargin=EDGE,
        topMargin=EDGE,
        bottomMargin=EDGE,
        invariant=1,
        pageCompression=0,  # a compressor may come in other versions
        title=f"{_kind(invoice)} {invoice.number}",
        author=invoice.team,
    )

    def page(canvas: Canvas, _document: Any) -> None:
        canvas.setFont(glyphs.PLAIN, 7)
        canvas.setFillColor(GREY)
        told = f"{_kind(invoice)} {invoice.number}, page {canvas.getPageNumber()}"
        canvas.drawString(EDGE, EDGE / 2, told)

    document.build(list(_story(invoice)), onFirstPage=page, onLaterPages=page)
    return paper.getvalue()


def _kind(invoice: Invoice) -> str:
    return "Provisional invoice" if invoice.provisional else "Invoice"


def _story(invoice: Invoice) -> Iterator[Flowable]:
    yield _text(f"{_kind(invoice)} {invoice.number}", TITLE)
    if invoice.provisional:
        yield _text("The period is not closed: the amounts will change.", SMALL)
    yield Spacer(1, 4 * mm)
    for line in (invoice.title or invoice.team, *invoice.address.split("\n")):
        yield _text(line, TEXT)
    yield Spacer(1, 4 * mm)
    yield _text(f"Period: {invoice.period.first} to {invoice.period.last}", TEXT)
    yield Spacer(1, 4 * mm)
    yield _positions(invoice)
    yield Spacer(1, 4 * mm)
    yield Paragraph(RULES, SMALL)


def _positions(invoice: Invoice) -> Table:
    rows = [_row("Position", "Quantity", "Price", "Tariff", "Net")]
    lines = [0]  # a rule below these rows
    for position in invoice.positions:
        rows += [_position(position, invoice.currency), *_parts(position)]
        lines.append(len(rows) - 1)
    rows.append(_row("Net", "", "", "", f"{invoice.net} {invoice.currency}"))
    for tax in invoice.taxes:
        rate = f"VAT {tax.rate.normalize():f} % of {tax.net}"
        rows.append(_row(rate, "", "", "", f"{tax.vat} {invoice.currency}"))
    rows.append(_row("Total", "", "", "", f"{invoice.total} {invoice.currency}"))
    ruled = [("LINEBELOW", (0, n), (-1, n), 0.4, RULE) for n in lines]
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 1), *ruled]
    return Table(rows, colWidths=COLUMNS, repeatRows=1, style=style, splitInRow=1)


def _position(position: Position, currency: str) -> list[Flowable]:
    _, unit = UNITS[position.kind]
    named = position.project + (f": {position.title}" if position.title else "")
    each = unit.removesuffix("s")
    return _row(
        f"{position.kind}, {named}",
        f"{quantity(position.kind, position.amount)} {unit}",
        f"{position.price} {currency} / {each}",
        f"{position.tariff}, prices {position.version}",
        str(position.cost),
    )


def _parts(position: Position) -> Iterator[list[Flowable]]:
    shown = sorted(position.parts, key=lambda part: (-abs(part.amount), part.name, part.uid))
    for part in shown[:MOST]:
        yield _small(position, _named(part), part.amount, str(part.cost))
    if rest := shown[MOST:]:
        amount, cost = sum(part.amount for part in rest), sum(part.cost for part in rest)
        yield _small(position, f"{len(rest)} more, listed in the CSV", amount, str(cost))


def _named(part: Part) -> str:
    if part.what == "dataset":
        return part.name or "the project's own dataset"
    return f"credit: {part.name}" if part.what == "credit" else part.name


def _small(position: Position, name: str, amount: int, cost: str) -> list[Flowable]:
    told = str(quantity(position.kind, amount))
    return [
        _text(f"\u2013 {name}", SMALL),
        _text(told, SMALL_RIGHT),
        "",
        "",
        _text(cost, SMALL_RIGHT),
    ]


def _row(name: str, *rest: str) -> list[Flowable]:
    return [_text(name, TEXT), *(_text(cell, RIGHT) for cell in rest)]


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}\u2026"
    return Paragraph(glyphs.markup(short), style)
