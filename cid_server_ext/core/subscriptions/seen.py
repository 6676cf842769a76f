"""Subscriptions as people see them: which there are, what they matched, what is newer."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from ...db.tables import Project, Record, Run, Subscription, SubscriptionMatch, Template
from .. import policy
from ..actor import Actor

Match = SubscriptionMatch


def get(session: Session, actor: Actor, uid: str) -> Subscription:
    """Return the subscription, or raise NotFound."""
    return policy.find(session, actor, Subscription, uid)


def listing(
    session: Session, actor: Actor, project: str | None = None, *, ended: bool = False
) -> list[Subscription]:
    """Return the subscriptions of my projects, newest first; those that ended when asked."""
    chosen = policy.visible(actor, Subscription).options(
        selectinload(Subscription.project),
        selectinload(Subscription.template),
        selectinload(Subscription.dataset),
    )
    if project is not None:
        row = policy.find(session, actor, Project, project)
        chosen = chosen.where(Subscription.project_id == row.id)
    if not ended:
        chosen = chosen.where(Subscription.state != "ended")
    return list(session.scalars(chosen.order_by(Subscription.id.desc()).limit(200)))


def counts(session: Session, ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Return how many matches of each subscription there are, by state; those run, by the run's."""
    found: dict[int, dict[str, int]] = {number: {} for number in ids}
    state = func.coalesce(Run.state, Match.state)
    chosen = select(Match.subscription_id, state, func.count()).outerjoin(Match.run)
    chosen = chosen.where(Match.subscription_id.in_(ids)).group_by(Match.subscription_id, state)
    for number, name, n in session.execute(chosen):
        found[number][name] = n
    return found


def newer(session: Session, rows: Collection[Subscription]) -> dict[int, str]:
    """Return the version of each one's template that came after it, if there is one."""
    chosen = select(Template.name, Template.project_id, Template.id, Template.version)
    named = chosen.where(
        Template.name.in_({row.template.name for row in rows}), Template.withdrawn_at.is_(None)
    )
    found = session.execute(named.order_by(Template.id))
    last = {(name, home): (number, version) for name, home, number, version in found}
    newest = {row.id: last.get((row.template.name, row.template.project_id)) for row in rows}
    return {
        row.id: came[1]
        for row in rows
        if (came := newest[row.id]) is not None and came[0] > row.template_id
    }


def matches(
    session: Session,
    actor: Actor,
    uid: str,
    *,
    state: str | None = None,
    limit: int = 50,
    after: int | None = None,
) -> list[Match]:
    """Return what it matched and the caller reaches, newest first, with the runs."""
    row = get(session, actor, uid)
    seen = policy.visible(actor, Record).with_only_columns(Record.id)
    chosen = select(Match).where(Match.subscription_id == row.id, Match.record_id.in_(seen))
    chosen = chosen.options(selectinload(Match.record), selectinload(Match.run))
    if state is not None:
        chosen = chosen.outerjoin(Match.run).where(func.coalesce(Run.state, Match.state) == state)
    if after is not None:
        chosen = chosen.where(Match.record_id < after)
    return list(session.scalars(chosen.order_by(Match.record_id.desc()).limit(limit)))
