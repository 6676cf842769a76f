"""Which images of its project a subscription's saved search finds, for the one who subscribed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from ...db.tables import Record, Subscription, SubscriptionMatch
from .. import policy
from ..actor import Actor
from ..catalog.homes import batches
from ..search import language as q
from ..search import parser
from ..search.plan import Plan, plan
from ..search.resolve import Reach, Shown, resolve


def found(session: Session, row: Subscription, most: int, *, new: bool = False) -> list[int]:
    """Return all that matches now, oldest first, at most `most`; only what is `new` to it."""
    chosen = _mine(row).where(Record.id.in_(select(_plan(session, row).matching().subquery())))
    if new:
        known = select(SubscriptionMatch.record_id).where(
            SubscriptionMatch.subscription_id == row.id, SubscriptionMatch.record_id == Record.id
        )
        chosen = chosen.where(~known.exists())
    return list(session.scalars(chosen.order_by(Record.id).limit(most)))


def among(session: Session, row: Subscription, ids: Collection[int]) -> list[int]:
    """Return those of the records that match now, oldest first."""
    if not ids:
        return []
    asked = _plan(session, row)
    fits: ColumnElement[bool] = asked.conditions.clause(asked.node, Record.__table__.c.id)
    here: list[int] = []
    for batch in batches(sorted(ids)):
        here += session.scalars(_mine(row).where(Record.id.in_(batch), fits).order_by(Record.id))
    return here


def kind(row: Subscription) -> str:
    """Return the kind of image that the template takes."""
    inputs: dict[str, Any] = row.template.manifest.get("inputs", {})
    return str(inputs.get("kind", "image"))


def _mine(row: Subscription) -> Select[int]:
    """Select the ids of what may be run: at home in the project, where the person contributes."""
    may = policy.reachable(Actor(row.person), "contributor", Record)
    home = Record.project_id == row.project_id
    return select(Record.id).where(may, home, Record.kind == kind(row))


def _plan(session: Session, row: Subscription) -> Plan:
    """Look inside the project only, as a live dataset does."""
    where = Reach(Actor(row.person), frozenset({row.project_id}))
    asked = resolve(session, where, parser.parse(row.dataset.query or ""))
    node = q.all_of(Shown((row.project_id,)), asked)
    return plan(session, where, node, frozenset({kind(row)}))
