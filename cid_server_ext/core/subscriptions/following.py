"""Each new match becomes one run: noted as waiting, then submitted when budget and room allow.

Two steps, each one transaction that first holds the subscription's row. A match has one row, and
what was waiting becomes a run in the transaction that submits it: whoever is killed, and however
many processes follow, an image is run once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.orm import Session

from ...db import capture, clock
from ...db.tables import Image, Project, Subscription, SubscriptionMatch
from .. import policy
from ..actor import Actor
from ..catalog.homes import batches
from ..estimate import gpu
from ..notices import notices
from . import beside, budget, chains, matching, submitting
from .budget import CAPTURED, Stopped
from .telling import say

AT_ONCE = 100  # runs of one transaction, which holds the project's room and other writers up
BLIND = frozenset({"right", "query"})  # pauses in which nothing is looked for
BY_HAND = BLIND | {"person"}  # only a person ends these pauses

Match = SubscriptionMatch


def held(session: Session, number: int) -> Subscription | None:
    """Return a subscription that nobody else changes until this transaction ends; None: gone."""
    chosen = select(Subscription).where(Subscription.id == number)
    only = chosen.with_for_update(key_share=True)
    return session.scalar(only.execution_options(populate_existing=True))


def unended(session: Session) -> list[int]:
    """Return the subscriptions for which matches are looked for."""
    sees = Subscription.cause.is_(None) | Subscription.cause.not_in(BLIND)
    chosen = select(Subscription.id).where(Subscription.state != "ended", sees)
    return list(session.scalars(chosen.order_by(Subscription.id)))


def found(session: Session, number: int, most: int) -> list[int]:
    """Return what matches now and is new to the subscription."""
    row = session.get(Subscription, number)
    return matching.found(session, row, most, new=True) if row is not None else []


def new(session: Session, number: int, ids: Iterable[int]) -> list[int]:
    """Return those of the records that match now and are new to the subscription."""
    row = session.get(Subscription, number)
    return [] if row is None else _unknown(session, row, matching.among(session, row, set(ids)))


def note(session: Session, number: int, ids: Iterable[int]) -> int:
    """Let the records that match and are new to the subscription wait; return how many are."""
    row = held(session, number)
    if row is None or row.state == "ended":
        return 0
    fresh = _unknown(session, row, matching.among(session, row, set(ids)))
    if fresh:
        say(session, row, "match", row.person, {"images": len(fresh)})
        wait(session, row, fresh)
    return len(fresh)


def wait(session: Session, row: Subscription, fresh: Sequence[int]) -> None:
    """Add a match for each record: it waits, or is left out with the reason."""
    why = chains.left_out(session, row, fresh)
    add(session, row, [record for record in fresh if record not in why], "waiting")
    for reason in sorted(set(why.values())):
        add(session, row, [record for record in why if why[record] == reason], "left", reason)


def add(
    session: Session, row: Subscription, ids: Sequence[int], state: str, reason: str | None = None
) -> None:
    """Add matches that are all alike."""
    after = {"state": state} | ({"reason": reason} if reason else {})
    same = {"subscription_id": row.id, "state": state, "reason": reason}
    for batch in batches(list(ids)):
        capture.rewrite(session, Match, [(row.id, record) for record in batch], None, after)
        rows = [same | {"record_id": record} for record in batch]
        session.execute(insert(Match), rows, execution_options=CAPTURED)


def turn(session: Session, row: Subscription, ids: Sequence[int], before: str, after: str) -> None:
    """Let matches of one state have another, all alike."""
    for batch in batches(list(ids)):
        keys = [(row.id, record) for record in batch]
        capture.rewrite(session, Match, keys, {"state": before}, {"state": after})
        those = update(Match).where(_of(row), Match.record_id.in_(batch), Match.state == before)
        session.execute(those.values(state=after), execution_options=CAPTURED)


def advance(session: Session, number: int) -> tuple[int, bool]:
    """Submit some of what waits, or say in the subscription why it cannot.

    Returns how many runs that made, and whether there may be more.
    """
    row = held(session, number)
    if row is None or row.state == "ended" or row.cause in BY_HAND:
        return 0, False
    stopped, submitted, more = hindrance(session, row), 0, False
    if stopped is None:
        waits = select(Match.record_id).where(_of(row), Match.state == "waiting")
        waiting = session.scalars(waits.order_by(Match.record_id).limit(AT_ONCE)).all()
        fitting = matching.among(session, row, waiting)
        _forget(session, row, set(waiting) - set(fitting))
        submitted, stopped = submitting.submit(session, row, fitting)
        more = stopped is None and len(waiting) == AT_ONCE
    if stopped is not None:
        pause(session, row, stopped)
    elif row.state == "paused":
        go_on(session, row, row.person)
    return submitted, more


def give_up(session: Session, number: int, why: str) -> None:
    """Pause a subscription whose search cannot be answered."""
    row = held(session, number)
    if row is not None and row.state != "ended" and row.cause not in BY_HAND:
        search = f"its saved search {row.dataset.path!r} cannot be answered: {why}"
        pause(session, row, Stopped("query", f"{search}; mend it, then resume this"))


def due(session: Session) -> list[int]:
    """Return the subscriptions of which something can be submitted, or said, now."""
    day = clock.now(session).date()
    open_ = select(Subscription).where(Subscription.state != "ended").order_by(Subscription.id)
    return [
        row.id
        for row in session.scalars(open_)
        if row.cause not in BY_HAND and _can_move(session, row, day)
    ]


def hindrance(session: Session, row: Subscription) -> Stopped | None:
    """Return what lets nothing be submitted, whatever the budget: right, project or search."""
    name, project = row.project.name, row.project
    if not may_submit(session, row.person, row.project_id):
        said = f"{row.person} is no longer contributor of project {name!r}: whoever is may resume"
        return Stopped("right", f"{said} it in their own name")
    if project.state != "active":
        return Stopped("project", f"project {name!r} is {project.state}: nothing runs in it")
    if row.template.withdrawn_at is not None:
        said = f"template {row.template.reference} {row.template.version} is withdrawn"
        return Stopped("template", f"{said}: end this, and subscribe to another version")
    search = row.dataset
    if search.trash_id is not None:
        said = f"its saved search {search.path!r} is in the trash: restore it, or end this"
        return Stopped("search", said)
    if search.project_id != row.project_id:
        said = f"its saved search {search.path!r} was moved to another project: move it back"
        return Stopped("search", f"{said}, or end this")
    return beside.lost(session, row)


def may_submit(session: Session, person: str, project_id: int) -> bool:
    """Say whether a person, by a role and not as staff, may submit runs in the project."""
    role = policy.granted(Actor(person), "contributor", Project)
    return session.scalar(select(Project.id).where(Project.id == project_id, role)) is not None


def pause(session: Session, row: Subscription, stopped: Stopped, by: str | None = None) -> None:
    """Let it submit nothing, and say why; nothing changes where that is said already."""
    now = ("paused", stopped.cause, stopped.reason, stopped.needs)
    if (row.state, row.cause, row.reason, row.needs) == now:
        return
    row.state, row.cause, row.reason, row.needs = now
    say(session, row, "pause subscription", by or row.person, {"reason": stopped.reason})
    if by != row.person and stopped.cause != "day":  # tomorrow it goes on by itself
        said = f"{row.template.name} for {row.dataset.path} is paused: {stopped.reason}"
        about, home = f"subscription:{row.uid}", row.project_id
        notices.tell(session, row.person, "subscription", about, said, project_id=home)


def go_on(session: Session, row: Subscription, by: str) -> None:
    """Let it submit again."""
    row.state, row.cause, row.reason, row.needs = "active", None, None, 0
    say(session, row, "resume subscription", by, {})


def _can_move(session: Session, row: Subscription, day: dt.date) -> bool:
    stopped = hindrance(session, row)
    if stopped is not None:
        return row.cause != stopped.cause
    if row.cause in ("project", "search", "inputs"):
        return True
    waits = select(Match.record_id).where(_of(row), Match.state == "waiting")
    first = session.scalar(waits.order_by(Match.record_id).limit(1))
    if first is None:
        return False
    if row.cause == "gpu":
        image = session.get(Image, first)
        return image is None or not gpu.lacking(session, row.template, [image])
    if (spent := budget.reached(row, row.needs, day)) is not None:
        return row.cause != spent.cause
    allocation = row.project.allocation
    room = allocation.limit - allocation.used - allocation.reserved
    return row.cause != "allocation" or room >= row.needs


def _forget(session: Session, row: Subscription, ids: set[int]) -> None:
    """Let go of what waited and matches no more; it may match again."""
    if not ids:
        return
    capture.touch(session, Match, [(row.id, record) for record in sorted(ids)])
    gone = delete(Match).where(_of(row), Match.record_id.in_(ids), Match.state == "waiting")
    session.execute(gone, execution_options=CAPTURED)
    say(session, row, "match no more", row.person, {"images": len(ids)})


def _unknown(session: Session, row: Subscription, ids: Sequence[int]) -> list[int]:
    known: set[int] = set()
    for batch in batches(list(ids)):
        chosen = select(Match.record_id).where(_of(row), Match.record_id.in_(batch))
        known.update(session.scalars(chosen))
    return [record for record in ids if record not in known]


def _of(row: Subscription) -> ColumnElement[bool]:
    return Match.subscription_id == row.id
