"""Price lists, invoices as JSON, CSV and PDF, and credits."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from ..core.ledger import bills, credits, invoices, paper, prices, sheet
from ..db import tables as t
from .base import Ask, CidHandler, endpoint
from .download import CSV, PDF, Download


class Tariff(BaseModel):
    """Prices without VAT as text: of 10^12 bytes for 365 days, of an hour; `vat` in percent."""

    model_config = ConfigDict(extra="forbid")
    tb_year: str
    archive_tb_year: str
    gpu_hour: str
    cpu_hour: str
    vat: str


class Tariffs(BaseModel):
    """What each kind of customer pays."""

    model_config = ConfigDict(extra="forbid")
    internal: Tariff
    academic: Tariff
    industrial: Tariff


class NewPrices(BaseModel):
    """The next version of the price list, valid from a day on."""

    model_config = ConfigDict(extra="forbid")
    valid_from: dt.date
    currency: str
    tariffs: Tariffs


class Prices(NewPrices):
    """A version of the price list."""

    version: int
    published_by: str
    created_at: dt.datetime


class PriceLists(BaseModel):
    """All versions, the newest first."""

    prices: list[Prices]


class NewCredit(BaseModel):
    """`amount` byte-days or seconds to give back, at the prices of `day`."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    amount: int = Field(ge=1, lt=2**62)
    day: dt.date
    reason: str


class Credit(BaseModel):
    """A line of the ledger that takes back; `day` is the day it counts on."""

    key: str
    kind: str
    amount: int
    day: dt.date


class Part(BaseModel):
    """A dataset, a run or a credit; the costs of a position's parts add up to its cost."""

    what: str
    uid: str
    name: str
    amount: int
    cost: str


class Position(BaseModel):
    """What a project has taken; `amount` in byte-days or seconds, `price` for a TB-year or hour."""

    project: str
    title: str
    kind: str
    tariff: str
    version: int
    price: str
    vat: str
    amount: int
    quantity: str
    cost: str
    parts: list[Part]


class Tax(BaseModel):
    """VAT of one rate, in percent."""

    rate: str
    net: str
    vat: str


class Invoice(BaseModel):
    """Amounts are decimal numbers as text, in `currency`."""

    number: str
    team: str
    title: str
    address: str
    period: str
    first: dt.date
    last: dt.date
    provisional: bool
    currency: str
    positions: list[Position]
    taxes: list[Tax]
    net: str
    vat: str
    total: str


class AllPrices(CidHandler):
    """prices."""

    @endpoint("The price lists", who="anyone", answer=PriceLists)
    def get(self, ask: Ask) -> PriceLists:
        """Every version, also those that are over."""
        rows = prices.listing(ask.session, ask.actor)
        return PriceLists(prices=[_prices(row) for row in rows])

    @endpoint("Publish prices", who="staff", body=NewPrices, answer=Prices, status=201)
    def post(self, ask: Ask) -> Prices:
        """A version never changes; what was charged stays."""
        new = ask.body
        tariffs = new.tariffs.model_dump()
        row = prices.publish(ask.session, ask.actor, new.valid_from, new.currency, tariffs)
        ask.session.flush()
        return _prices(row)


class Credits(CidHandler):
    """projects/{project}/credits."""

    @endpoint("Give back what was charged", who="staff", body=NewCredit, answer=Credit, status=201)
    def post(self, ask: Ask, project: str) -> Credit:
        """It is on the invoice of the period that runs."""
        wanted = credits.Wanted(**ask.body.model_dump())
        row = credits.give(ask.session, ask.actor, project, wanted)
        return Credit(key=row.key, kind=row.kind, amount=row.amount, day=row.day)


class TeamInvoice(CidHandler):
    """teams/{team}/invoices/{period}."""

    @endpoint("An invoice", who="leader", answer=Invoice)
    def get(self, ask: Ask, team: str, period: str) -> Invoice:
        """Of a month 2026-10, a quarter 2026-Q3 or a year 2026, with all its parts."""
        return _invoice(bills.of_team(ask.session, ask.actor, team, period))


class InvoiceCsv(CidHandler):
    """teams/{team}/invoices/{period}/csv."""

    @endpoint("An invoice as CSV", who="leader", media=(CSV,))
    def get(self, ask: Ask, team: str, period: str) -> Download:
        """With all its parts; the same bytes whenever it is asked for, once it is final."""
        invoice = bills.of_team(ask.session, ask.actor, team, period)
        return Download(sheet.as_csv(invoice), CSV, f"{invoice.number}.csv")


class InvoicePdf(CidHandler):
    """teams/{team}/invoices/{period}/pdf."""

    @endpoint("An invoice as PDF", who="leader", media=(PDF,))
    def get(self, ask: Ask, team: str, period: str) -> Download:
        """The same bytes whenever it is asked for, once it is final."""
        invoice = bills.of_team(ask.session, ask.actor, team, period)
        return Download(paper.as_pdf(invoice), PDF, f"{invoice.number}.pdf")


def _prices(row: t.PriceList) -> Prices:
    return Prices(
        version=row.version,
        valid_from=row.valid_from,
        currency=row.currency,
        tariffs=Tariffs.model_validate(row.tariffs),
        published_by=row.published_by,
        created_at=row.created_at,
    )


def _invoice(made: invoices.Invoice) -> Invoice:
    return Invoice(
        number=made.number,
        team=made.team,
        title=made.title,
        address=made.address,
        period=made.period.name,
        first=made.period.first,
        last=made.period.last,
        provisional=made.provisional,
        currency=made.currency,
        positions=[_position(position) for position in made.positions],
        taxes=[Tax(rate=_text(x.rate), net=str(x.net), vat=str(x.vat)) for x in made.taxes],
        net=str(made.net),
        vat=str(made.vat),
        total=str(made.total),
    )


def _position(made: invoices.Position) -> Position:
    return Position(
        project=made.project,
        title=made.title,
        kind=made.kind,
        tariff=made.tariff,
        version=made.version,
        price=str(made.price),
        vat=_text(made.vat),
        amount=made.amount,
        quantity=str(sheet.quantity(made.kind, made.amount)),
        cost=str(made.cost),
        parts=[
            Part(what=p.what, uid=p.uid, name=p.name, amount=p.amount, cost=str(p.cost))
            for p in made.parts
        ],
    )


def _text(rate: Decimal) -> str:
    return f"{rate.normalize():f}"
