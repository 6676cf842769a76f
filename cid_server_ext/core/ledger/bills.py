"""The invoice of a team from this catalog's ledger, for its leaders and staff."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Line
from .. import policy
from ..actor import Actor
from . import invoices, lines, periods, prices
from .invoices import Charge, Invoice
from .periods import Period


def of_team(session: Session, actor: Actor, team: str, period: str) -> Invoice:
    """Return the invoice; provisional until every day of the period is in the ledger."""
    row = policy.require_leader(session, actor, team)
    asked = periods.named(period)
    final = closed(session, asked, clock.now(session))
    charged = charges(session, row.id, asked)
    return invoices.compute(row.name, asked, charged, prices.known(session), final=final)


def charges(session: Session, team_id: int, period: Period) -> list[Charge]:
    """Return what the ledger charges the team for the days of the period."""
    of_period = (Line.team_id == team_id) & Line.day.between(period.first, period.last)
    rows = session.scalars(select(Line).where(of_period)).all()
    told = lines.whole(session, rows)
    return [
        Charge(row.key, row.kind, row.day, row.amount, detail)
        for row, detail in zip(rows, told, strict=True)
    ]


def closed(session: Session, period: Period, now: dt.datetime) -> bool:
    """Return whether nothing more comes to the period: it is over, and its days are accrued."""
    over = period.last < (now - lines.MARGIN).date()
    return over and all(day > period.last for day in lines.due(session, now))
