"""A spreadsheet that comes back: every change of a cell is shown before it is made, then made.

All or nothing, one entry in the journal; what is applied is what the preview showed.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ...db.tables import Project
from ...errors import BadInput, Conflict
from .. import journal, policy
from ..actor import Actor
from ..search import index
from . import tagging, vocabulary
from .comparison import Edit, Plan, compare
from .sheets import Rows


@dataclass(frozen=True, slots=True)
class Preview:
    """All that a sheet would change; `digest` names exactly this."""

    rows: int
    edits: list[Edit]
    digest: str
    new_keys: list[str]
    snapped: dict[str, dict[str, str]]  # by key: given -> taken
    similar: dict[str, dict[str, list[str]]]  # by key: given -> alike


def preview(session: Session, actor: Actor, project: str, rows: Rows) -> Preview:
    """Return every change that the sheet would make; nothing is written. Annotators may."""
    row = policy.require(session, actor, "annotator", Project, project)
    plan = compare(session, actor, row, rows, saves=False)
    return _shown(row, plan)


def apply(session: Session, actor: Actor, project: str, rows: Rows, digest: str) -> Preview:
    """Make the changes that the preview with this digest showed; annotators may.

    Raises Conflict when they would be others now, BadInput when one of them cannot be made.
    """
    row = policy.require(session, actor, "annotator", Project, project)
    vocabulary.alone(session)  # before the records: others wait in the same order
    plan = compare(session, actor, row, rows, saves=True)
    done = _shown(row, plan)
    if done.digest != digest:
        raise Conflict("the records or the sheet changed since the preview: look at it again")
    for edit in plan.edits:
        if edit.problem:
            raise BadInput(f"row {edit.row}, {edit.key!r}: {edit.problem}")
    ids = {change.record_id for change in plan.changes}
    if ids:
        have = tagging.held(session, ids, {change.term for change in plan.changes})
        tagging.apply(session, have, plan.changes, tagging.By("person", actor.name))
        index.refresh(session, ids)
        counted = Counter(edit.key for edit in plan.edits)
        detail: dict[str, Any] = {"records": len(ids), "keys": dict(counted)}
        subject = f"project:{row.name}"
        journal.record(session, actor.name, "apply sheet", subject, detail, project_id=row.id)
    return done


def _shown(project: Project, plan: Plan) -> Preview:
    said = [[e.record, e.key, e.before, e.after, e.problem] for e in plan.edits]
    text = json.dumps([project.uid, plan.rows, plan.new_keys, said])
    return Preview(
        rows=plan.rows,
        edits=plan.edits,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        new_keys=plan.new_keys,
        snapped={key: told.snapped for key, told in plan.told.items() if told.snapped},
        similar={key: told.similar for key, told in plan.told.items() if told.similar},
    )
