"""Staff may read every project; which private ones it read is in the journal.

A request's answer is made of what was loaded for it, so that is what counts: one record, a page of
a search, a list. A person and a project are noted once in an hour. What is read without loading
its rows says so itself: `shown`, and `everywhere` for sums over all projects.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Dataset, Deposit, Journal, Note, Project, Record, Run, Trash
from .. import journal, policy
from ..actor import Actor

ACTION = "staff read"
ONCE_IN = dt.timedelta(hours=1)
SEEN = "staff saw projects"
PRIVATE = (Dataset, Deposit, Note, Record, Run, Trash)


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
        session.info[SEEN].update(session.scalars(select(Project.id)))


def unnoted(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """Return (id, name) of the projects that a watched session read and that must be noted.

    Not those the person belongs to, nor those that were noted less than an hour ago.
    """
    seen = session.info.pop(SEEN, set())
    if not seen:
        return []
    as_person = Actor(actor.name, guest=actor.guest)
    foreign = (
        select(Project.id, Project.name)
        .where(Project.id.in_(seen), ~policy.reachable(as_person, "viewer", Project))
        .order_by(Project.name)
    )
    found = [(row.id, row.name) for row in session.execute(foreign)]
    noted = _noted_lately(session, actor) if found else set()
    return [(number, name) for number, name in found if name not in noted]


def note(session: Session, actor: Actor, what: str, projects: list[tuple[int, str]]) -> None:
    """Write the entry: `what` was asked, and of which projects. Of one project, it is its own."""
    detail = {"what": what, "projects": [name for _, name in projects]}
    of_one = projects[0][0] if len(projects) == 1 else None
    journal.record(session, actor.name, ACTION, _subject(actor), detail, project_id=of_one)


def _noted_lately(session: Session, actor: Actor) -> set[str]:
    lately = clock.now(session) - ONCE_IN
    entries = select(Journal.detail).where(
        Journal.subject == _subject(actor), Journal.action == ACTION, Journal.at > lately
    )
    return {name for detail in session.scalars(entries) for name in detail["projects"]}


def _subject(actor: Actor) -> str:
    return f"staff:{actor.name}"
