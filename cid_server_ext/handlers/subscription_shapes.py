"""What the API answers about subscriptions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core.subscriptions import beside, seen
from ..core.subscriptions import estimate as estimates
from ..db import clock
from ..db import tables as t
from .base import Ask
from .run_shapes import TemplateName, template_name

MatchState = Literal[
    "there",
    "waiting",
    "left",
    "queued",
    "starting",
    "running",
    "committing",
    "done",
    "failed",
    "cancelled",
]


class Budget(BaseModel):
    """The most runs in all, runs that begin on one day (UTC), bytes reserved; null: no limit."""

    model_config = ConfigDict(extra="forbid")
    runs: int | None = Field(None, ge=1)
    runs_a_day: int | None = Field(None, ge=1)
    nbytes: int | None = Field(None, ge=1)


class Spent(BaseModel):
    """What was taken out of the budget so far."""

    runs: int
    today: int
    nbytes: int


class Counts(BaseModel):
    """Images by what became of them; `there` matched before and was not asked for."""

    there: int
    waiting: int
    running: int
    done: int
    failed: int
    left: int


class SavedSearch(BaseModel):
    """The live dataset whose matches are run."""

    uid: str
    path: str
    query: str


class Subscription(BaseModel):
    """A template that runs once on each new match; `newer`: a later version than its own.

    `inputs` are further images by role, as far as I may see them.
    """

    uid: str
    project: str
    template: TemplateName
    newer: str | None
    search: SavedSearch
    person: str
    parameters: dict[str, Any]
    inputs: dict[str, list[str]]
    priority: int
    state: str
    reason: str | None
    budget: Budget
    spent: Spent
    counts: Counts
    created_at: dt.datetime


class Subscriptions(BaseModel):
    """The subscriptions of my projects."""

    subscriptions: list[Subscription]


class Estimate(BaseModel):
    """What running on all that matches now would take; `text` says it in a sentence.

    `price` is that of the machine time, VAT included: "3.40 EUR"; null where nobody can know it.
    """

    matches: int
    would_run: int
    run_already: int
    left: int
    nbytes: int
    free: int
    price: str | None
    text: str


class MatchRun(BaseModel):
    """The run of a match."""

    uid: str
    state: str


class Matched(BaseModel):
    """An image, what became of it, and why where it was left out."""

    uid: str
    name: str
    state: str
    reason: str | None
    run: MatchRun | None


class Matches(BaseModel):
    """Matches; pass `next` as `after` for older ones."""

    matches: list[Matched]
    next: str | None


def one(ask: Ask, row: t.Subscription) -> Subscription:
    """Fill one subscription."""
    return several(ask, [row])[0]


def several(ask: Ask, rows: Sequence[t.Subscription]) -> list[Subscription]:
    """Fill subscriptions with what they did, in as many queries for all of them as for one."""
    counted = seen.counts(ask.session, [row.id for row in rows])
    newer = seen.newer(ask.session, rows)
    inputs = beside.seen(ask.session, ask.actor, rows)
    day = clock.now(ask.session).date()
    return [
        _subscription(row, counted[row.id], newer.get(row.id), inputs[row.id], day) for row in rows
    ]


def match(row: t.SubscriptionMatch) -> Matched:
    """Fill a match."""
    run = row.run and MatchRun(uid=row.run.uid, state=row.run.state)
    state = row.run.state if row.run else row.state
    record = row.record
    return Matched(uid=record.uid, name=record.name, state=state, reason=row.reason, run=run)


def estimate(found: estimates.Estimate) -> Estimate:
    """Fill an estimate."""
    return Estimate(
        matches=found.matches,
        would_run=found.would_run,
        run_already=found.run_already,
        left=found.left,
        nbytes=found.nbytes,
        free=found.free,
        price=None if found.takes.price is None else str(found.takes.price),
        text=found.text,
    )


def _subscription(
    row: t.Subscription,
    n: dict[str, int],
    newer: str | None,
    inputs: dict[str, list[str]],
    day: dt.date,
) -> Subscription:
    running = ("queued", "starting", "running", "committing")
    return Subscription(
        uid=row.uid,
        project=row.project.name,
        template=template_name(row.template),
        newer=newer,
        search=SavedSearch(
            uid=row.dataset.uid, path=row.dataset.path, query=row.dataset.query or ""
        ),
        person=row.person,
        parameters=row.parameters,
        inputs=inputs,
        priority=row.priority,
        state=row.state,
        reason=row.reason,
        budget=Budget(runs=row.most_runs, runs_a_day=row.most_a_day, nbytes=row.most_bytes),
        spent=Spent(runs=row.runs, today=row.today if row.day == day else 0, nbytes=row.nbytes),
        counts=Counts(
            there=n.get("there", 0),
            waiting=n.get("waiting", 0),
            running=sum(n.get(state, 0) for state in running),
            done=n.get("done", 0),
            failed=n.get("failed", 0) + n.get("cancelled", 0),
            left=n.get("left", 0),
        ),
        created_at=row.created_at,
    )
