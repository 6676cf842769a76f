"""Every change leaves a row here, in the change's own transaction: no row, no change."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from ..db.tables import Journal


def record(
    session: Session,
    person: str,
    action: str,
    subject: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write who did what to which record ("image:<uid>", "project:<name>")."""
    session.add(Journal(person=person, action=action, subject=subject, detail=detail or {}))
