"""What a withdrawn template tells: whose subscriptions use it hears of it, with the reason."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Subscription, Template
from . import notices


def told(session: Session, template: Template, reason: str) -> None:
    """Tell those whose subscriptions of this version have not ended."""
    using = select(Subscription).where(
        Subscription.template_id == template.id, Subscription.state != "ended"
    )
    for row in session.scalars(using.order_by(Subscription.id)):
        name = f"{template.reference} {template.version}"
        said = f"{name}, which runs by itself on {row.dataset.path}, is withdrawn: {reason}"
        about = f"subscription:{row.uid}"
        notices.tell(session, row.person, "template", about, said, project_id=row.project_id)
