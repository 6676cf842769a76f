"""What only one person reaches: projects nobody else reads or manages, teams nobody else leads."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, exists, select

from ...db.tables import Project, ProjectMember, Team, TeamMember
from .. import policy


def projects(person: str, roles: tuple[str, ...]) -> Select[int]:
    """Select the ids of projects where only this person has such a role, or leads the team."""
    return select(Project.id).where(
        _has(roles, ProjectMember.person == person) | _led(TeamMember.person == person),
        ~_has(roles, ProjectMember.person != person),
        ~_led(TeamMember.person != person),
    )


def _has(roles: tuple[str, ...], who: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        ProjectMember.project_id == Project.id,
        ProjectMember.role.in_(roles),
        policy.lasts(ProjectMember),
        who,
    )


def _led(who: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        TeamMember.team_id == Project.team_id,
        TeamMember.role == "leader",
        policy.lasts(TeamMember),
        who,
    )


def teams(person: str) -> Select[Team]:
    """Select the teams that only this person leads."""

    def led(who: ColumnElement[bool]) -> ColumnElement[bool]:
        leads = TeamMember.role == "leader"
        return exists().where(TeamMember.team_id == Team.id, leads, policy.lasts(TeamMember), who)

    mine = led(TeamMember.person == person) & ~led(TeamMember.person != person)
    return select(Team).where(mine).order_by(Team.name)
