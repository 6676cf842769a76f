"""Teams with projects and templates, and runs that wait, for the tests of the queue."""

from __future__ import annotations

from typing import Any

from cid_server_ext.core import journal
from cid_server_ext.core.queue import claims
from cid_server_ext.core.runs import states
from cid_server_ext.db.session import Sessions
from cid_server_ext.db.tables import (
    Allocation,
    Project,
    ProjectMember,
    Run,
    RunLimits,
    Team,
    Template,
    new_uid,
)


def team(sessions: Sessions, name: str, person: str = "", **resources: Any) -> int:
    """Make a team with one project, one contributor and one template; return the project's id."""
    with sessions.begin() as session:
        journal.record(session, "test", "set up", "test")
        project = Project(name=name, team=Team(name=name))
        about = {"name": name, "version": "1.0.0", "digest": "0" * 64, "published_by": "staff"}
        manifest = {"resources": {"cores": 1, "workers": 2} | resources}
        session.add_all(
            [
                Allocation(project=project, limit=10**9, used=0, reserved=0),
                Template(**about, manifest=manifest, notebook="{}"),
            ]
        )
        session.flush()
        member = {"project_id": project.id, "role": "contributor"}
        session.add(ProjectMember(person=person or f"{name}-person", **member))
        return project.id


def wait(sessions: Sessions, project_id: int, runs: int = 1, **columns: Any) -> list[Run]:
    """Queue runs of one batch in a project, of the template that has its number."""
    with sessions.begin() as session:
        journal.record(session, "test", "set up", "test")
        project = session.get_one(Project, project_id)
        given = {"batch": new_uid(), "person": f"{project.name}-person"} | columns
        rows = [
            Run(project_id=project_id, template_id=project_id, parameters={}, reserved=100, **given)
            for _ in range(runs)
        ]
        project.allocation.reserved += 100 * runs
        session.add_all(rows)
    return rows


def claim(sessions: Sessions, conductor: str = "one", **how: Any) -> claims.Claim | None:
    """Claim once."""
    with sessions.begin() as session:
        return claims.claim(session, conductor, **how)


def more(sessions: Sessions, taken: claims.Claim, count: int, **how: Any) -> int:
    """Take more of what was claimed, and return how many there were."""
    with sessions.begin() as session:
        return len(claims.more(session, "one", taken.lane, count, **how))


def end(sessions: Sessions, *runs: int, to: str = "done") -> None:
    """Let runs that are driven come to their end."""
    with sessions.begin() as session:
        for state in ("running", "committing", to):
            states.move_all(session, runs, state)


def limit(sessions: Sessions, name: str | None, **values: Any) -> None:
    """Set limits of a team, or without a name those of the facility."""
    with sessions.begin() as session:
        journal.record(session, "test", "set up", "test")
        if name is None:
            session.add(RunLimits(uid="facility", **values))
            return
        found = session.query(Team).where(Team.name == name).one()
        session.add(RunLimits(team_id=found.id, **values))
