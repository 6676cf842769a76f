"""Staff may read every project; which private ones it read is in the journal.

A request's answer is made of what was loaded for it, so that is what counts: one record, a page of
a search, a list. A person and a project are noted once in an hour, in an entry of the project,
which its members see. What is read without loading its rows says so itself: `shown`, and
`everywhere` for sums over all projects. Sums hide no reading: they are noted apart, as `counted`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Dataset, Deposit, Journal, Note, Project, Record, Run, Trash
from .. import journal, policy
from ..actor import Actor

ACTION = "staff read"
ONCE_IN = dt.timedelta(hours=1)
SEEN, COUNTED = "staff saw projects", "staff counted in projects"
ENTRIES = 50  # of one request; further projects are named in one that is no project's own
PRIVATE = (Dataset, Deposit, Note, Record, Run, Trash)


class Read(NamedTuple):
    """A project that must be noted; `counted`: only sums over it were told."""

    project_id: int
    name: str
    counted: bool


def watch(session: Session) -> None:
    """Remember from now on which projects this session reads of."""
    seen: set[int] = session.info.setdefault(SEEN, set())

    def loaded(_session: Session, row: Any) -> None:
        if isinstance(row, Project):
            seen.add(row.id)
        elif isinstance(row, PRIVATE):
            seen.add(row.project_id)

    event.listen(session, "loaded_as_persistent", loaded)


def shown(session: Session, project_ids: Iterable[int]) -> None:
    """Say that what is answered tells of these projects, without a row of them being loaded."""
    if SEEN in session.info:
        session.info[SEEN].update(project_ids)


def everywhere(session: Session) -> None:
    """Say that what is answered was counted over all projects, without loading a row of them."""
    if SEEN in session.info:
        session.info[COUNTED] = set(session.scalars(select(Project.id)))


def unnoted(session: Session, actor: Actor) -> list[Read]:
    """Return the projects that a watched session read and that must be noted, by name.

    Not those the person belongs to, nor those that were noted less than an hour ago.
    """
    seen, counted = session.info.pop(SEEN, set()), session.info.pop(COUNTED, set())
    if not seen | counted:
        return []
    as_person = Actor(actor.name, guest=actor.guest)
    foreign = (
        select(Project.id, Project.name)
        .where(Project.id.in_(seen | counted), ~policy.reachable(as_person, "viewer", Project))
        .order_by(Project.name)
    )
    found = [Read(row.id, row.name, row.id not in seen) for row in session.execute(foreign)]
    read, told = _noted_lately(session, actor) if found else (set(), set())
    return [one for one in found if one.name not in (read | told if one.counted else read)]


def note(session: Session, actor: Actor, what: str, reads: list[Read]) -> None:
    """Write that `what` was asked: to each project that was read, and once which were counted."""
    read = [one for one in reads if not one.counted]
    for one in read[:ENTRIES]:
        _write(session, actor, {"what": what, "projects": [one.name]}, one.project_id)
    detail: dict[str, Any] = {"what": what, "projects": [one.name for one in read[ENTRIES:]]}
    if counted := [one.name for one in reads if one.counted]:
        detail["counted"] = counted
    if counted or detail["projects"]:
        _write(session, actor, detail, reads[0].project_id if len(reads) == 1 else None)


def _write(session: Session, actor: Actor, detail: dict[str, Any], project_id: int | None) -> None:
    journal.record(session, actor.name, ACTION, _subject(actor), detail, project_id=project_id)


def _noted_lately(session: Session, actor: Actor) -> tuple[set[str], set[str]]:
    """Return the names of the projects that were noted as read, and as counted."""
    lately = clock.now(session) - ONCE_IN
    entries = select(Journal.detail).where(
        Journal.subject == _subject(actor), Journal.action == ACTION, Journal.at > lately
    )
    read: set[str] = set()
    counted: set[str] = set()
    for detail in session.scalars(entries):
        read.update(detail["projects"])
        counted.update(detail.get("counted", ()))
    return read, counted


def _subject(actor: Actor) -> str:
    return f"staff:{actor.name}"
