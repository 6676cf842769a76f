"""Price lists: versions that never change, each good from a day on.

Prices are decimal numbers as text, without VAT: `tb_year` and `archive_tb_year` for 10^12 bytes
kept for 365 days, `gpu_hour` and `cpu_hour` for one gpu or core during an hour, `vat` in percent.
A day is charged by the newest version that is valid on it. A new version is valid from today at
the earliest, so what has been charged stays. Days that have no prices yet may be given some: a
version that begins before all earlier ones is for the days before them only.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import PriceList
from ...errors import BadInput, Conflict, NotAllowed
from .. import journal, policy
from ..actor import Actor

TARIFFS = ("internal", "academic", "industrial")
PRICES = ("tb_year", "archive_tb_year", "gpu_hour", "cpu_hour", "vat")
NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
CURRENCY = re.compile(r"[A-Z]{3}")  # ISO 4217


@dataclass(frozen=True, slots=True)
class Prices:
    """One version as invoices read it."""

    version: int
    valid_from: dt.date
    currency: str
    tariffs: Mapping[str, Mapping[str, Decimal]]


def publish(
    session: Session,
    actor: Actor,
    valid_from: dt.date,
    currency: str,
    tariffs: Mapping[str, Mapping[str, str]],
) -> PriceList:
    """Publish the next version, for all tariffs. Staff may."""
    policy.require_staff(actor)
    _check(currency, tariffs)
    known = session.scalars(select(PriceList).order_by(PriceList.version)).all()
    today = clock.now(session).date()
    priced = min((row.valid_from for row in known), default=None)
    if priced is not None and priced <= valid_from < today:
        raise BadInput(f"valid_from: {today} at the earliest, earlier days are charged already")
    if known and known[-1].currency != currency:
        raise BadInput(f"currency: it stays {known[-1].currency}")
    row = PriceList(
        version=known[-1].version + 1 if known else 1,
        valid_from=valid_from,
        currency=currency,
        tariffs={name: dict(tariffs[name]) for name in TARIFFS},
        published_by=actor.name,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("somebody published prices at this very moment: look at them") from None
    detail = {"valid_from": valid_from.isoformat()}
    journal.record(session, actor.name, "publish prices", f"prices:{row.version}", detail)
    return row


def listing(session: Session, actor: Actor) -> list[PriceList]:
    """Return all versions, the newest first. Every person may read them."""
    if actor.run_id is not None:
        raise NotAllowed("a run token opens this run's inputs and output, nothing else")
    return list(session.scalars(select(PriceList).order_by(PriceList.version.desc())))


def known(session: Session) -> list[Prices]:
    """Return all versions for computing, the oldest first."""
    rows = session.scalars(select(PriceList).order_by(PriceList.version))
    return [Prices(row.version, row.valid_from, row.currency, _decimals(row)) for row in rows]


def on(day: dt.date, lists: Sequence[Prices]) -> Prices:
    """Return the prices of a day, or raise Conflict when it has none."""
    valid = [prices for prices in lists if prices.valid_from <= day < _end(prices, lists)]
    if not valid:
        raise Conflict(f"there are no prices for {day}: staff publishes a price list first")
    return max(valid, key=lambda prices: prices.version)


def _end(prices: Prices, lists: Sequence[Prices]) -> dt.date:
    """Return the day from which a list counts no more: it was only for days that had no prices."""
    earlier = [one.valid_from for one in lists if one.version < prices.version]
    first = min(earlier, default=dt.date.min)
    return first if prices.valid_from < first else dt.date.max


def _decimals(row: PriceList) -> dict[str, dict[str, Decimal]]:
    return {
        tariff: {name: Decimal(text) for name, text in prices.items()}
        for tariff, prices in row.tariffs.items()
    }


def _check(currency: str, tariffs: Mapping[str, Mapping[str, str]]) -> None:
    if not CURRENCY.fullmatch(currency):
        raise BadInput("currency: three capital letters, as EUR")
    if set(tariffs) != set(TARIFFS):
        raise BadInput(f"tariffs: all of {', '.join(TARIFFS)}")
    for tariff, prices in tariffs.items():
        if set(prices) != set(PRICES):
            raise BadInput(f"tariffs.{tariff}: all of {', '.join(PRICES)}")
        for name, text in prices.items():
            if not NUMBER.fullmatch(text):
                raise BadInput(f"tariffs.{tariff}.{name}: a number like 162.00, as text")
        if Decimal(prices["vat"]) > 100:
            raise BadInput(f"tariffs.{tariff}.vat: percent, 100 at most")
