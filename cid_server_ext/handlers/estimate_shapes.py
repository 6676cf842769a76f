"""What the API answers about what runs will take, and when they will end."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel

from ..core.estimate import estimate as estimates
from ..core.estimate import eta as etas


class Seconds(BaseModel):
    """An interval of 80 % and its middle; without history `high` alone, after which it is ended."""

    low: float | None
    likely: float | None
    high: float


class Estimate(BaseModel):
    """What a submit would take, from its template's `history`: so many runs.

    `seconds` from now to the last one's end, bytes likely written, GPU minutes and the price with
    VAT; the latter two are null without history, the price also without a price list. `says` is
    all of it in a sentence.
    """

    bytes: int
    gpu_minutes: float | None
    seconds: Seconds
    price: str | None
    currency: str | None
    history: int
    says: str


class Eta(BaseModel):
    """When it will end: an interval of 80 % and its middle; without history `high` alone."""

    low: dt.datetime | None
    likely: dt.datetime | None
    high: dt.datetime


def estimate(found: estimates.Estimate) -> Estimate:
    """Fill an estimate."""
    seconds, price = found.seconds, found.price
    return Estimate(
        bytes=found.nbytes,
        gpu_minutes=found.gpu_minutes,
        seconds=Seconds(low=seconds.low, likely=seconds.likely, high=seconds.high),
        price=None if price is None else str(price.total),
        currency=None if price is None else price.currency,
        history=found.history,
        says=found.says,
    )


def eta(found: etas.Eta | None) -> Eta | None:
    """Fill when something ends."""
    return found and Eta(low=found.low, likely=found.likely, high=found.high)
