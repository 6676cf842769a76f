"""Teams: made with their first project, seen by their members, filled by leaders, kept by staff."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...db.tables import Project, Team, TeamMember
from ...errors import BadInput, Conflict, NotAllowed, NotFound
from .. import journal, names, policy
from ..actor import Actor

TARIFFS = ("internal", "academic", "industrial")
LONGEST_ADDRESS = 1000  # characters


def listing(session: Session, actor: Actor) -> list[Team]:
    """Return the teams the caller belongs to, for staff all, by name."""
    return list(session.scalars(policy.visible(actor, Team).order_by(Team.name)))


def members_of(session: Session, team_ids: Sequence[int]) -> dict[int, list[TeamMember]]:
    """Return the members of each team by name, also those whose time is up."""
    found: dict[int, list[TeamMember]] = {number: [] for number in team_ids}
    chosen = select(TeamMember).where(TeamMember.team_id.in_(team_ids))
    for member in session.scalars(chosen.order_by(TeamMember.person)):
        found[member.team_id].append(member)
    return found


def projects_of(session: Session, actor: Actor, team_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the names of each team's projects that the caller reaches."""
    found: dict[int, list[str]] = {number: [] for number in team_ids}
    mine = policy.reachable(actor, "viewer", Project)
    chosen = select(Project.team_id, Project.name).where(Project.team_id.in_(team_ids), mine)
    for team_id, name in session.execute(chosen.order_by(Project.name)):
        found[team_id].append(name)
    return found


def put_member(
    session: Session,
    actor: Actor,
    team: str,
    person: str,
    role: str,
    ends_at: dt.datetime | None = None,
) -> Team:
    """Give `person` this place in the team. Leaders add members; leaders are made by staff."""
    row = policy.require(session, actor, "manager", Team, team)
    names.person(person)
    if role not in policy.TEAM_ROLES:
        raise BadInput(f"role {role!r}: one of {', '.join(policy.TEAM_ROLES)}")
    _leave_leaders_alone(session, actor, row, person, role)
    session.merge(TeamMember(team_id=row.id, person=person, role=role, ends_at=ends_at))
    detail = {"person": person, "role": role, "ends_at": ends_at and ends_at.isoformat()}
    journal.record(session, actor.name, "put team member", f"team:{row.name}", detail)
    return row


def remove_member(session: Session, actor: Actor, team: str, person: str) -> Team:
    """End a person's place in the team."""
    row = policy.require(session, actor, "manager", Team, team)
    _leave_leaders_alone(session, actor, row, person, "member")
    member = session.get(TeamMember, (row.id, person))
    if member is None:
        raise NotFound(f"{person!r} is not in team {row.name!r}")
    session.delete(member)
    detail = {"person": person}
    journal.record(session, actor.name, "remove team member", f"team:{row.name}", detail)
    return row


def change(
    session: Session,
    actor: Actor,
    team: str,
    *,
    title: str | None = None,
    tariff: str | None = None,
    address: str | None = None,
) -> Team:
    """Give the team another title, tariff or address of its invoices. Staff may."""
    policy.require_staff(actor)
    row = policy.find(session, actor, Team, team)
    detail: dict[str, str] = {}
    if title is not None:
        row.title = detail["title"] = names.title(title)
    if tariff is not None:
        if tariff not in TARIFFS:
            raise BadInput(f"tariff {tariff!r}: one of {', '.join(TARIFFS)}")
        row.tariff = detail["tariff"] = tariff
    if address is not None:
        if len(address) > LONGEST_ADDRESS or not address.replace("\n", "").isprintable():
            raise BadInput(f"address: lines of text, {LONGEST_ADDRESS} characters at most")
        row.address = detail["address"] = address
    if detail:
        journal.record(session, actor.name, "change team", f"team:{row.name}", detail)
    return row


def called(session: Session, name: str, leaders: Iterable[str]) -> Team:
    """Return the team, made if it is new, with these leaders; the caller asks who and notes it."""
    name = names.slug(name, "team")
    team = session.scalar(select(Team).where(Team.name == name))
    if team is None:
        team = Team(name=name, title=name)
        session.add(team)
        try:
            session.flush()
        except IntegrityError:
            raise Conflict(f"team {name!r} was made by somebody else just now: retry") from None
    for person in leaders:
        named = names.person(person)
        leader = TeamMember(team_id=team.id, person=named, role="leader", ends_at=None)
        session.merge(leader)
    return team


def _leave_leaders_alone(
    session: Session, actor: Actor, team: Team, person: str, role: str
) -> None:
    """Raise NotAllowed when somebody who is not staff would make or unmake a leader."""
    now = session.get(TeamMember, (team.id, person))
    if not actor.staff and (role == "leader" or (now is not None and now.role == "leader")):
        raise NotAllowed("who leads a team is decided by facility staff: ask them")
