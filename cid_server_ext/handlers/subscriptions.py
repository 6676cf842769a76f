"""Subscriptions: templates that run by themselves on what a saved search newly finds."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core.queue.turns import URGENT
from ..core.subscriptions import seen, subscriptions
from ..core.subscriptions.budget import Limits
from . import subscription_shapes as shapes
from .base import Ask, CidHandler, endpoint
from .paging import After, number, token


class Subscribe(BaseModel):
    """A template for what a saved search of a project, a live dataset's path, newly finds.

    `inputs`, further images by role, and `priority` hold for all its runs, as those of a submit.
    """

    model_config = ConfigDict(extra="forbid")
    project: str
    search: str
    template: str
    parameters: dict[str, Any] = {}
    inputs: dict[str, list[str]] = {}
    priority: int = Field(0, ge=-URGENT, le=URGENT)
    budget: shapes.Budget = shapes.Budget()
    also_existing: bool = False


class Change(BaseModel):
    """Other limits and values for the runs to come; what is not named stays.

    `also_existing` runs it on what was there before it.
    """

    model_config = ConfigDict(extra="forbid")
    budget: shapes.Budget | None = None
    parameters: dict[str, Any] | None = None
    state: Literal["active", "paused"] | None = None
    also_existing: Literal[True] | None = None


class Asked(BaseModel):
    """Those of one project; with `ended` those that ended too."""

    model_config = ConfigDict(extra="forbid")
    project: str | None = None
    ended: bool = False


class Which(BaseModel):
    """Matches of one state, or of one state of their runs; `after` is an earlier page's `next`."""

    model_config = ConfigDict(extra="forbid")
    state: shapes.MatchState | None = None
    limit: int = Field(50, ge=1, le=200)
    after: After = None


class Subscriptions(CidHandler):
    """subscriptions."""

    @endpoint("What runs by itself", who="anyone", query=Asked, answer=shapes.Subscriptions)
    def get(self, ask: Ask) -> shapes.Subscriptions:
        """Those of my projects, newest first."""
        q = ask.query
        rows = seen.listing(ask.session, ask.actor, q.project, ended=q.ended)
        return shapes.Subscriptions(subscriptions=shapes.several(ask, rows))

    @endpoint(
        "Run a template on each new match",
        who="member",
        body=Subscribe,
        answer=shapes.Subscription,
        status=201,
    )
    def post(self, ask: Ask) -> shapes.Subscription:
        """In the caller's name, as long as they may submit runs there, within the budget."""
        row = subscriptions.create(ask.session, ask.actor, _wanted(ask.body))
        ask.session.refresh(row)
        return shapes.one(ask, row)


class Preview(CidHandler):
    """subscriptions/preview."""

    @endpoint(
        "What subscribing would run now",
        who="member",
        body=Subscribe,
        answer=shapes.Estimate,
        reads=True,
    )
    def post(self, ask: Ask) -> shapes.Estimate:
        """With `also_existing`; without it nothing is run before something new matches."""
        return shapes.estimate(subscriptions.preview(ask.session, ask.actor, _wanted(ask.body)))


class OneSubscription(CidHandler):
    """subscriptions/{subscription}."""

    @endpoint(
        "One subscription",
        who="viewer",
        answer=shapes.Subscription,
        passing=("spent", "counts", "newer"),
    )
    def get(self, ask: Ask, subscription: str) -> shapes.Subscription:
        """What it spent and did."""
        return shapes.one(ask, seen.get(ask.session, ask.actor, subscription))

    @endpoint("Change a subscription", who="owner", body=Change, answer=shapes.Subscription)
    def patch(self, ask: Ask, subscription: str) -> shapes.Subscription:
        """Whoever resumes one whose person may submit no more takes it over."""
        new, about = ask.body, (ask.session, ask.actor, subscription)
        limits = new.budget.model_dump(exclude_unset=True) if new.budget else {}
        if limits or new.parameters:
            subscriptions.change(*about, limits, new.parameters)
        if new.also_existing:
            subscriptions.existing(*about)
        if new.state is not None:
            (subscriptions.pause if new.state == "paused" else subscriptions.resume)(*about)
        ask.session.flush()
        return shapes.one(ask, seen.get(*about))

    @endpoint("End a subscription", who="owner", answer=shapes.Subscription)
    def delete(self, ask: Ask, subscription: str) -> shapes.Subscription:
        """Nothing is submitted any more; runs that were go on."""
        return shapes.one(ask, subscriptions.end(ask.session, ask.actor, subscription))


class Matches(CidHandler):
    """subscriptions/{subscription}/matches."""

    @endpoint("What a subscription matched", who="viewer", query=Which, answer=shapes.Matches)
    def get(self, ask: Ask, subscription: str) -> shapes.Matches:
        """Newest images first, with their runs."""
        q = ask.query
        rows = seen.matches(
            ask.session,
            ask.actor,
            subscription,
            state=q.state,
            limit=q.limit,
            after=number(q.after),
        )
        more = rows[-1].record_id if len(rows) == q.limit else None
        return shapes.Matches(matches=[shapes.match(row) for row in rows], next=token(more))


def _wanted(new: Subscribe) -> subscriptions.Wanted:
    return subscriptions.Wanted(
        project=new.project,
        search=new.search,
        template=new.template,
        parameters=new.parameters,
        limits=Limits(**new.budget.model_dump()),
        also_existing=new.also_existing,
        inputs=new.inputs,
        priority=new.priority,
    )
