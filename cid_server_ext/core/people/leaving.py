"""People leave, data stays: what only they reach is handed over in one step.

Data belongs to its project and keeps who made it. What can be lost is the way to it: a project
that nobody else reads or manages any more; and what runs by itself in their name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Project, ProjectMember, Team, TeamMember
from ...errors import BadInput
from .. import journal, names, policy
from ..actor import Actor
from ..subscriptions import following, handing
from . import alone, requests


@dataclass(frozen=True, slots=True)
class Handover:
    """What was handed over: projects and teams the other was given, and what ended.

    `withdrawn`: how many requests of theirs waited for an answer. `subscriptions` go on in the
    other's name; `paused` wait for somebody who may run them.
    """

    person: str
    to: str
    projects: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    ended: int = 0
    withdrawn: int = 0
    subscriptions: int = 0
    paused: int = 0


def hand_over(session: Session, actor: Actor, person: str, to: str, *, end: bool) -> Handover:
    """Give `to` all that only `person` reads, manages or leads; with `end`, end his memberships.

    With `end`, requests of his that wait are withdrawn, too: nobody else asked for them; and what
    runs by itself in his name goes on in that of `to`, or pauses where `to` may run nothing. Who
    made what stays written. Deposits and runs under way are left to end by themselves. Staff may;
    one journal entry, which can be undone.
    """
    policy.require_staff(actor)
    names.person(person)
    names.person(to)
    if person == to:
        raise BadInput("to: another person than the one who leaves")
    only = alone.projects(person, policy.ROLES).union(alone.projects(person, ("manager",)))
    projects, teams = list(session.scalars(only)), list(session.scalars(alone.teams(person)))
    for project_id in projects:
        _give_project(session, project_id, person, to)
    for team in teams:
        leader = TeamMember(team_id=team.id, person=to, role="leader", ends_at=None)
        session.merge(leader)
    ended = _end(session, person) if end else []
    asked = requests.withdraw_all(session, actor, person) if end else []
    session.flush()
    standing = handing.theirs(session, person) if end else []
    takes = [row for row in standing if following.may_submit(session, to, row.project_id)]
    named = session.scalars(
        select(Project.name).where(Project.id.in_(projects)).order_by(Project.name)
    )
    done = Handover(
        person=person,
        to=to,
        projects=list(named),
        teams=[team.name for team in teams],
        ended=len(ended),
        withdrawn=len(asked),
        subscriptions=len(takes),
        paused=len(standing) - len(takes),
    )
    if projects or teams or ended or asked or standing:
        detail = {"to": to, "projects": done.projects, "teams": done.teams, "ended": ended}
        detail |= {"withdrawn": asked, "subscriptions": [row.uid for row in takes]}
        journal.record(session, actor.name, "hand over", f"person:{person}", detail)
    for row in standing:
        handing.pass_on(session, row, to if row in takes else None, actor.name)
    return done


def _give_project(session: Session, project_id: int, person: str, to: str) -> None:
    """Let the other have the leaver's role there, for good, or keep a higher one that lasts."""
    have = select(ProjectMember.person, ProjectMember.role).where(
        ProjectMember.project_id == project_id,
        ProjectMember.person.in_((person, to)),
        policy.lasts(ProjectMember),
    )
    roles = {row.person: row.role for row in session.execute(have)}
    if person not in roles:
        return  # who leads its team is given the team
    role = max(roles.values(), key=policy.ROLES.index)
    session.merge(ProjectMember(project_id=project_id, person=to, role=role, ends_at=None))


def _end(session: Session, person: str) -> list[str]:
    """End every membership that lasts, now; return where."""
    now = clock.now(session)
    members = select(ProjectMember, Project.name).where(
        ProjectMember.project_id == Project.id,
        ProjectMember.person == person,
        policy.lasts(ProjectMember),
    )
    team_members = select(TeamMember, Team.name).where(
        TeamMember.team_id == Team.id, TeamMember.person == person, policy.lasts(TeamMember)
    )
    ended = []
    for member, name in session.execute(members).all():
        member.ends_at = now
        ended.append(f"project:{name}")
    for place, name in session.execute(team_members).all():
        place.ends_at = now
        ended.append(f"team:{name}")
    return sorted(ended)
