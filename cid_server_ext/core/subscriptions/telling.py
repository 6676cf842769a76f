"""What the journal says of a subscription."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from ...db.tables import Subscription
from .. import journal


def say(session: Session, row: Subscription, action: str, by: str, detail: dict[str, Any]) -> None:
    """Note in the journal what was done with a subscription."""
    subject = f"subscription:{row.uid}"
    told = detail | {"template": row.template.name, "search": row.dataset.path}
    journal.record(session, by, action, subject, told, project_id=row.project_id)
