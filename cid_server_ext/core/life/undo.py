"""Taking back a change of the last 30 days: rows become what they were, or it says what moved on.

The undo is an entry itself, so that undoing it does the change again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.capture import Key
from ...db.tables import Journal, Project
from ...errors import Conflict, NotAllowed, NotFound
from .. import journal, policy
from ..actor import Actor
from ..catalog import datasets
from ..search import index
from . import concerned, rows, shared, whole
from .rows import Item

DAYS = dt.timedelta(days=30)

# action -> the role that the one who did it must still have in the project
UNDOABLE = {
    "rename": "contributor",
    "move": "contributor",
    "link": "contributor",
    "unlink": "contributor",
    "create dataset": "contributor",
    "move dataset": "contributor",
    "change query": "contributor",
    "trash": "contributor",
    "write note": "annotator",
    "edit note": "annotator",
    "remove note": "annotator",
    "tag": "annotator",
    "untag": "annotator",
    "annotate": "annotator",
    "apply sheet": "annotator",
    "declare term": "manager",
    "change term": "manager",
    "rename term": "manager",
    "retire term": "manager",
    "merge terms": "manager",
    "declare value": "manager",
    "rename value": "manager",
    "merge values": "manager",
    "put member": "manager",
    "remove member": "manager",
    "set limit": "staff",
    "put team member": "staff",
    "remove team member": "staff",
    "hand over": "staff",
    "change instrument": "staff",
    "retire instrument": "staff",
    "update instrument": "staff",
    "correct instrument": "staff",
    "record control": "staff",
    "apply settings": "annotator",
    "relocate": "staff",
    "subscribe": "contributor",
    "change subscription": "contributor",
    "pause subscription": "contributor",
    "resume subscription": "contributor",
    "end subscription": "contributor",
    "retire mask": "staff",
    "use mask again": "staff",
}
ONCE = {"trash"}  # thrown away again, it has its whole grace time again

# tables of which an undo leaves the rows there, or alone: what came in, what ran, what is charged
# changed back, never made or removed
STAYS = {"record", "project", "team", "allocation", "instrument", "mask", "mask_version"}
NEVER = {"run", "run_input", "template", "line", "price_list"}

WORDS = {"term", "value", "tag"}  # tables of what a project says of its records
PLACED = {"dataset", "record", "link"}  # tables whose rows say where something lies

LOOKED_AT = 2000  # later entries that are read to tell what moved on
TOLD = 5


def undo(session: Session, actor: Actor, entry_id: int) -> Journal:
    """Make what the entry changed as it was before and return the entry.

    NotFound: not in a project of the caller's. NotAllowed: it is not theirs to undo. Conflict: too
    old, undone already, or changed since; the message says by whom.
    """
    entry = session.scalar(
        select(Journal)
        .where(Journal.id == entry_id, policy.reachable(actor, "viewer", Journal))
        .with_for_update()
    )
    if entry is None:
        raise NotFound(f"no journal entry {entry_id} that you can see")
    changes = shared.without(session, rows.items(entry))
    ids = concerned.records(session, changes)
    places = concerned.projects(session, changes)
    if entry.project_id is not None:
        places.add(entry.project_id)
    _refuse(session, actor, entry, changes, places)
    concerned.refuse_purged(session, concerned.named(session, changes))
    if any(item.table.name in PLACED for item in changes):
        datasets.hold(session, places)
    if moved := rows.moved_on(session, changes):
        raise _moved_on(session, entry, moved)
    rows.put_back(session, changes)
    ids |= concerned.records(session, changes)
    concerned.settle_back(session, changes)
    whole.use_again(session, changes)
    whole.check(session, changes)
    detail = {"entry": entry.id, "action": action(entry)}
    journal.record(
        session,
        actor.name,
        "undo",
        entry.subject,
        detail,
        project_id=entry.project_id,
        undoes=entry.id,
    )
    index.refresh(session, ids)
    return entry


def action(entry: Journal) -> str:
    """Return what was done; of an undo, what it took back."""
    return str(entry.detail["action"]) if entry.action == "undo" else entry.action


def undoable(entry: Journal, now: dt.datetime) -> bool:
    """Return whether an entry may be undone at all, by whoever has the right to."""
    once = entry.action == "undo" and action(entry) in ONCE
    return bool(action(entry) in UNDOABLE and not once and entry.at > now - DAYS)


def needed(actor: Actor, entry: Journal) -> str:
    """Return the role that `actor` must have to undo the entry: less for what he did himself."""
    role = UNDOABLE.get(action(entry), "manager")
    return role if entry.person == actor.name or role == "staff" else "manager"


def may(actor: Actor, entry: Journal, roles: dict[int, str], places: Iterable[int] = ()) -> bool:
    """Return whether `actor`, who has these roles in projects, may undo the entry."""
    if not actor.writes or actor.run_id is not None or actor.staff:
        return actor.writes and actor.run_id is None
    role = needed(actor, entry)
    if role == "staff" or entry.project_id is None:
        return False
    rank = policy.ROLES.index
    mine = [roles.get(number) for number in {entry.project_id, *places}]
    return all(have is not None and rank(have) >= rank(role) for have in mine)


def _light(changes: list[Item]) -> bool:
    """Return whether nothing would come or go that others count on."""
    return not any(
        item.table.name in NEVER or (item.table.name in STAYS and not item.changed)
        for item in changes
    )


def _refuse(
    session: Session, actor: Actor, entry: Journal, changes: list[Item], places: set[int]
) -> None:
    roles = policy.roles_in(session, actor, [n for n in (entry.project_id, *places) if n])
    if not may(actor, entry, roles, places):
        if not actor.writes:
            raise NotAllowed(
                "your token may only read: ask for one with the scope custom:cid:write"
            )
        whose = "you" if entry.person == actor.name else entry.person
        raise NotAllowed(f"{whose} did this: undoing it needs the role {needed(actor, entry)}")
    later = session.scalar(select(Journal).where(Journal.undoes == entry.id))
    if later is not None:
        raise Conflict(f"undone already: {_told(later)}; undo that to have it again")
    if not undoable(entry, clock.now(session)) or not _light(changes):
        raise Conflict(f"{entry.action!r} of {entry.at:%Y-%m-%d} cannot be undone")
    if not entry.rows:
        raise Conflict(f"{entry.action!r} was part of a larger step: undo that one")
    words = any(item.table.name in WORDS for item in changes)
    if UNDOABLE[action(entry)] in policy.WORK or words:
        ours = places if UNDOABLE[action(entry)] in policy.WORK else {entry.project_id}
        shut = select(Project.name).where(Project.id.in_(ours), Project.state == "closed")
        if (name := session.scalar(shut.limit(1))) is not None:
            raise Conflict(f"project {name!r} is closed: nothing in it changes")


def _moved_on(session: Session, entry: Journal, moved: dict[str, set[Key]]) -> Conflict:
    """Return the refusal that says who changed the same rows after the entry."""
    near = or_(Journal.project_id.is_(None), Journal.project_id == entry.project_id)
    later = select(Journal).where(Journal.id > entry.id, near).order_by(Journal.id)
    found: list[Journal] = []
    few = later.limit(LOOKED_AT).execution_options(yield_per=100)
    with session.scalars(few) as others:  # closed when enough are found: nothing is left open
        for other in others:
            if any(_touches(item, moved) for item in other.rows):
                found.append(other)
            if len(found) == TOLD:
                break
    told = ", ".join(_told(other) for other in found) or f"rows of {', '.join(sorted(moved))}"
    changed = [
        {
            "at": other.at.isoformat(),
            "person": other.person,
            "action": other.action,
            "subject": other.subject,
            "detail": {"entry": other.id},
        }
        for other in reversed(found)
    ]
    return Conflict(f"changed since: {told}", changed)


def _touches(item: dict[str, Any], moved: dict[str, set[Key]]) -> bool:
    keys = moved.get(item["table"], set())
    return any(tuple(key) in keys for key in item["keys"])


def _told(entry: Journal) -> str:
    return f"{entry.action} by {entry.person} at {entry.at:%Y-%m-%d %H:%M} (entry {entry.id})"
