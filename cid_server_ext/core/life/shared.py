"""Spellings outlive the tag that brought them: what others use since is not taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ...db import capture
from ...db.tables import Tag, Value
from .rows import Item, batches


def without(session: Session, changes: list[Item]) -> list[Item]:
    """Leave out the terms and values that a change of tags brought and that now serve others.

    One that was declared, renamed or retired since serves others too. An entry that changed the
    vocabulary only is left as it is: undoing that asks whether it is used. A value that it brought
    back is not retired again while others use it.
    """
    tags = {key[0] for item in changes if item.table.name == "tag" for key in item.keys}
    changes = [one for item in changes for one in _in_use(session, item, tags)]
    if not tags:
        return changes
    values = _kept(session, changes, "value", [(Tag.value_id, Tag.id, tags)])
    gone = {key[0] for item in values for key in item.keys}
    users = [(Tag.term_id, Tag.id, tags), (Value.term_id, Value.id, gone)]
    terms = _kept(session, changes, "term", users)
    rest = [item for item in changes if item.before is not None or item.table.name not in _BROUGHT]
    return [*rest, *values, *terms]


Users = list[
    tuple[InstrumentedAttribute[Any], InstrumentedAttribute[int], set[int]]
]  # refers, its id, ours


def _kept(session: Session, changes: list[Item], name: str, users: Users) -> list[Item]:
    """Return the items of new rows of this table, with those keys that only the change uses."""
    found = []
    for item in changes:
        if item.table.name != name or item.before is not None:
            continue
        now = capture.read(session, item.table, sorted(item.keys), lock=True)
        same = [
            k for k in item.keys if k in now and capture.whole(item.table, now[k]) == item.after
        ]
        others: set[int] = set()
        for refers, number, ours in users:
            for batch in batches([key[0] for key in same]):
                rows = session.execute(select(refers, number).where(refers.in_(batch)))
                others |= {used for used, by in rows if by not in ours}
        keys = [key for key in same if key[0] not in others]
        if keys:
            found.append(replace(item, keys=keys))
    return found


def _in_use(session: Session, item: Item, tags: set[int]) -> list[Item]:
    """Return the item; of values that it brought back and others use, what else it changed."""
    before, after = item.before or {}, item.after or {}
    if item.table.name != "value" or not (before.get("retired") and after.get("retired") is False):
        return [item]
    used: set[int] = set()
    for batch in batches([key[0] for key in item.keys]):
        rows = session.execute(select(Tag.value_id, Tag.id).where(Tag.value_id.in_(batch)))
        used |= {value for value, tag in rows if value is not None and tag not in tags}
    parts = [
        replace(item, keys=[key for key in item.keys if key[0] not in used]),
        Item(
            item.table,
            [key for key in item.keys if key[0] in used],
            {name: told for name, told in before.items() if name != "retired"},
            {name: told for name, told in after.items() if name != "retired"},
        ),
    ]
    return [part for part in parts if part.keys and part.before]


_BROUGHT = frozenset({"term", "value"})
