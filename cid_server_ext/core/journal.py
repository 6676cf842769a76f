"""Every change leaves an entry here, in the change's own transaction: no entry, no change.

`db.capture` adds the rows before and after, and refuses a transaction that changed rows and said
nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from ..db import capture


def record(
    session: Session,
    person: str,
    action: str,
    subject: str,
    detail: dict[str, Any] | None = None,
    *,
    project_id: int | None = None,
    undoes: int | None = None,
) -> None:
    """Note who did what to which record ("image:<uid>", "project:<name>"); written at the commit.

    With `project_id` the entry is part of that project's history, which its members can read.
    """
    entry = {"person": person, "action": action, "subject": subject[:160], "detail": detail or {}}
    capture.note(session, entry | {"project_id": project_id, "undoes": undoes})
