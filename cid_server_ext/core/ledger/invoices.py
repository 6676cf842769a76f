"""An invoice is a pure function of lines, price lists, a team's name and a period.

No clock, no row of today: computed again, also in a catalog made again from its journal, it is the
same to the byte. Each position is rounded to cents, half up; sums are sums of rounded positions;
VAT is rounded once for each rate. The parts of a position are whole cents that add up to it: what
rounding leaves over goes to those it cut most.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Any

from . import prices
from .periods import Period
from .prices import Prices

EXACT = Context(prec=60)
CENT = Decimal("0.01")
TERABYTE_YEAR = 10**12 * 365  # byte-days
HOUR = 3600  # seconds
# kind: which price, for how many of the ledger's units
PRICED = {
    "storage": ("tb_year", TERABYTE_YEAR),
    "archive": ("archive_tb_year", TERABYTE_YEAR),
    "gpu": ("gpu_hour", HOUR),
    "cpu": ("cpu_hour", HOUR),
}
KINDS = tuple(PRICED)
WHAT = ("dataset", "run", "credit")  # parts of a position, in this order


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of the ledger, its detail told whole."""

    key: str
    kind: str
    day: dt.date
    amount: int
    detail: Mapping[str, Any]

    @property
    def priced_on(self) -> dt.date:
        """Return the day whose prices count; a credit's is that of what it corrects."""
        credit = self.detail.get("credit")
        return dt.date.fromisoformat(credit["day"]) if credit else self.day


@dataclass(frozen=True, slots=True)
class Part:
    """What a position is made of: a dataset, a run or a credit; `name` is for people."""

    what: str
    uid: str
    name: str
    amount: int
    cost: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Position:
    """What one project has taken of one kind, at one tariff and version of the prices.

    `amount` is in byte-days or seconds, `price` for a terabyte-year or an hour.
    """

    project: str
    title: str
    uid: str
    kind: str
    tariff: str
    version: int
    price: Decimal
    vat: Decimal
    amount: int
    cost: Decimal
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Tax:
    """The VAT of all positions of one rate, in percent."""

    rate: Decimal
    net: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a team owes for a period; `provisional` while the period is not closed."""

    team: str
    title: str
    address: str
    period: Period
    provisional: bool
    currency: str
    positions: tuple[Position, ...]
    taxes: tuple[Tax, ...]

    @property
    def number(self) -> str:
        """Return the name that this invoice has for good."""
        return f"{self.team}-{self.period.name}"

    @property
    def net(self) -> Decimal:
        """Return the sum of the positions."""
        return sum((position.cost for position in self.positions), Decimal("0.00"))

    @property
    def vat(self) -> Decimal:
        """Return the sum of the taxes."""
        return sum((tax.vat for tax in self.taxes), Decimal("0.00"))

    @property
    def total(self) -> Decimal:
        """Return what is to be paid."""
        return self.net + self.vat


def compute(
    team: str, period: Period, charges: Sequence[Charge], lists: Sequence[Prices], *, final: bool
) -> Invoice:
    """Return the invoice, or raise Conflict when a day of it has no prices.

    The team's title and address are those of the newest line; a period without lines has neither.
    """
    ordered = sorted(charges, key=lambda charge: (charge.day, charge.key))
    grouped: dict[tuple[str, int, str, int], list[Charge]] = defaultdict(list)
    for charge in (charge for charge in ordered if charge.amount):
        version = prices.on(charge.priced_on, lists).version
        project, tariff = charge.detail["project"]["uid"], charge.detail["team"]["tariff"]
        grouped[project, KINDS.index(charge.kind), tariff, version].append(charge)
    positions = [
        _position(group, next(p for p in lists if p.version == key[3]))
        for key, group in sorted(grouped.items())
    ]
    positions.sort(key=lambda p: p.project)  # of one project they stay in order
    newest = ordered[-1].detail["team"] if ordered else {"title": "", "address": ""}
    return Invoice(
        team=team,
        title=newest["title"],
        address=newest["address"],
        period=period,
        provisional=not final,
        currency=lists[-1].currency if lists else "",
        positions=tuple(positions),
        taxes=_taxes(positions),
    )


def cents(amount: Decimal) -> Decimal:
    """Round to cents; half a cent is rounded up, away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP, EXACT)


def apportion(total: Decimal, exact: Sequence[Decimal]) -> list[Decimal]:
    """Return whole cents that add up to `total`, each less than a cent from its exact share.

    `total` is the sum of `exact`, rounded to cents. The method of largest remainders (Hamilton);
    of equal remainders the first comes first.
    """
    floors = [share.quantize(CENT, ROUND_FLOOR, EXACT) for share in exact]
    left = int((total - sum(floors, Decimal(0))) / CENT)
    by_rest = sorted(range(len(exact)), key=lambda i: (floors[i] - exact[i], i))
    for i in by_rest[:left]:
        floors[i] += CENT
    return floors


def _position(charges: Sequence[Charge], of: Prices) -> Position:
    newest = charges[-1].detail
    kind, tariff = charges[0].kind, newest["team"]["tariff"]
    name, per = PRICED[kind]
    price = of.tariffs[tariff][name]
    parts = _parts(charges)
    exact = [EXACT.divide(EXACT.multiply(part.amount, price), per) for part in parts]
    amount = sum(part.amount for part in parts)
    cost = cents(EXACT.divide(EXACT.multiply(amount, price), per))
    costs = apportion(cost, exact)
    return Position(
        project=newest["project"]["name"],
        title=newest["project"]["title"],
        uid=newest["project"]["uid"],
        kind=kind,
        tariff=tariff,
        version=of.version,
        price=price,
        vat=of.tariffs[tariff]["vat"],
        amount=amount,
        cost=cost,
        parts=tuple(replace(p, cost=c) for p, c in zip(parts, costs, strict=True)),
    )


def _parts(charges: Sequence[Charge]) -> list[Part]:
    """Return datasets under their newest path, then runs, then credits, each by name."""
    amounts: dict[tuple[str, str], int] = defaultdict(int)
    names: dict[tuple[str, str], str] = {}
    for charge in charges:
        for what, uid, name, amount in _told(charge):
            amounts[what, uid] += amount
            names[what, uid] = name
    ordered = sorted(amounts, key=lambda key: (WHAT.index(key[0]), names[key], key[1]))
    return [Part(what, uid, names[what, uid], amounts[what, uid]) for what, uid in ordered]


def _told(charge: Charge) -> list[tuple[str, str, str, int]]:
    """Return (what, uid, name, amount) of what a line is for."""
    detail = charge.detail
    if credit := detail.get("credit"):
        return [("credit", charge.key, credit["reason"], charge.amount)]
    if run := detail.get("run"):
        ended = run["ended_at"][:16].replace("T", " ")
        name = f"{run['template']}, {run['person']}, {ended} UTC"
        return [("run", run["uid"], name, charge.amount)]
    return [("dataset", uid, path, nbytes) for uid, path, nbytes in detail["datasets"]]


def _taxes(positions: Sequence[Position]) -> tuple[Tax, ...]:
    nets: dict[Decimal, Decimal] = defaultdict(lambda: Decimal("0.00"))
    for position in positions:
        nets[position.vat] += position.cost
    return tuple(
        Tax(rate, net, cents(EXACT.divide(EXACT.multiply(net, rate), 100)))
        for rate, net in sorted(nets.items())
    )
