"""Rows that a run needs: a project with room, a template, queued runs."""

from __future__ import annotations

from typing import Any

from cid_server_ext.core import journal
from cid_server_ext.db.session import Sessions
from cid_server_ext.db.tables import (
    Allocation,
    Project,
    ProjectMember,
    Run,
    Team,
    Template,
    new_uid,
)


def fill(sessions: Sessions) -> Sessions:
    """Add one project with room and a contributor, and one template, to an empty catalog."""
    with sessions.begin() as session:
        journal.record(session, "test", "set up", "test")
        project = Project(name="demo", team=Team(name="lab"))
        session.add_all(
            [
                Allocation(project=project, limit=10_000, used=0, reserved=0),
                Template(
                    name="segment-cells",
                    version="1.0.0",
                    digest="0" * 64,
                    manifest={"resources": {"cores": 1, "workers": 2}},
                    notebook="{}",
                    published_by="staff",
                ),
            ]
        )
        session.flush()
        session.add(ProjectMember(project_id=project.id, person="researcher", role="contributor"))
    return sessions


def queue(sessions: Sessions, runs: int = 1, *, batch: str | None = None, **columns: Any) -> list:
    """Queue runs of one batch, each with 100 bytes reserved, and return them."""
    batch = batch or new_uid()
    with sessions.begin() as session:
        journal.record(session, "test", "set up", "test")
        project = session.get_one(Project, 1)
        rows = [
            Run(
                batch=batch,
                project_id=project.id,
                template_id=1,
                person="researcher",
                parameters={},
                reserved=100,
                **columns,
            )
            for _ in range(runs)
        ]
        project.allocation.reserved += 100 * runs
        session.add_all(rows)
    return rows


def read(sessions: Sessions, run_id: int) -> Run:
    """Return the run as the database has it now."""
    with sessions() as session:
        return session.get_one(Run, run_id)
