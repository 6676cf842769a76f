"""What an allocation tells when it fills up: its project's managers hear it once, at 80 %."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Allocation, Project, ProjectMember
from . import notices

PART, OF = 4, 5  # nearly full


def told(session: Session, project_id: int, added: int) -> None:
    """Tell the managers if these bytes, which it holds since just now, made it nearly full."""
    asked = select(Allocation.used, Allocation.limit, Project.name).join(Allocation.project)
    used, limit, name = session.execute(asked.where(Allocation.project_id == project_id)).one()
    if used * OF < limit * PART or (used - added) * OF >= limit * PART:
        return
    part = 100 * used // max(limit, 1)
    said = f"the project {name} holds {part} % of what it may: ask staff in time"
    managers = select(ProjectMember.person).where(
        ProjectMember.project_id == project_id, ProjectMember.role == "manager"
    )
    for person in session.scalars(managers):
        about = f"project:{name}"
        notices.tell(session, person, "allocation", about, said, project_id=project_id, once=True)
