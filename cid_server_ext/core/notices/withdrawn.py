"""What a withdrawn template tells those whose subscriptions use it, or whose runs of it wait."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...db.tables import Run, Subscription, Template
from . import notices


def told(session: Session, template: Template, reason: str) -> None:
    """Tell those whose subscriptions of this version have not ended, or whose runs of it wait.

    What was submitted before goes on: its person decides, who may cancel it.
    """
    using = select(Subscription).where(
        Subscription.template_id == template.id, Subscription.state != "ended"
    )
    name = f"{template.reference} {template.version}"
    for row in session.scalars(using.order_by(Subscription.id)):
        said = f"{name}, which runs by itself on {row.dataset.path}, is withdrawn: {reason}"
        about = f"subscription:{row.uid}"
        notices.tell(session, row.person, "template", about, said, project_id=row.project_id)
    waits = (Run.template_id == template.id) & (Run.state == "queued")
    mine = select(Run.person, Run.batch, Run.project_id, func.count().label("runs")).where(waits)
    batches = mine.group_by(Run.person, Run.batch, Run.project_id).order_by(func.min(Run.id))
    for batch in session.execute(batches):
        if batch.person != template.withdrawn_by:
            count = (
                "a run of it waits and goes"
                if batch.runs == 1
                else f"{batch.runs} runs wait and go"
            )
            said = f"{name} is withdrawn: {reason}; {count} on, cancel what should not"
            about = f"batch:{batch.batch}"
            notices.tell(
                session, batch.person, "template", about, said, project_id=batch.project_id
            )
