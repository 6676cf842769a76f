"""Somebody asks for a project; staff approves, which makes it whole, or refuses with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, selectinload

from ...db import capture, clock
from ...db.tables import Project, Request
from ...errors import BadInput, Conflict, NotAllowed
from .. import journal, names, policy, units
from ..actor import Actor
from ..catalog import projects, terms, typed, vocabulary
from . import members

STATES = ("asked", "approved", "refused", "withdrawn")
OPEN_AT_ONCE = 20  # requests of one person that wait for an answer
PAGE = 200
NEWS = 5  # of one's own requests that are shown first
LONGEST = 4000  # characters of a purpose or a reason


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: `limit` in bytes, `people` person -> role, `terms` as `terms.NewTerm`."""

    name: str
    team: str
    title: str
    limit: int
    people: Mapping[str, str]
    terms: Sequence[dict[str, Any]]
    purpose: str


def ask(session: Session, actor: Actor, wanted: Wanted) -> Request:
    """Ask for a project; whoever asks will manage it. Everybody with an account may, no guest."""
    if actor.run_id is not None or not actor.writes or actor.guest:
        raise NotAllowed("only a person with an account of the facility may ask for a project")
    _check(wanted)
    request = Request(person=actor.name, state="asked", wanted=_kept(wanted), reason="")
    session.add(request)
    session.flush()
    waiting = select(func.count()).where(Request.person == actor.name, Request.state == "asked")
    if (session.scalar(waiting) or 0) > OPEN_AT_ONCE:
        raise Conflict(f"{OPEN_AT_ONCE} requests of yours wait already: withdraw one")
    journal.record(session, actor.name, "request project", _subject(request), request.wanted)
    return request


def listing(
    session: Session, actor: Actor, *, state: str | None, limit: int, after: int | None
) -> list[Request]:
    """Return the caller's requests, for staff everybody's, newest first."""
    query = policy.visible(actor, Request).options(selectinload(Request.project))
    if state is not None:
        query = query.where(Request.state == state)
    if after is not None:
        query = query.where(Request.id < after)
    return list(session.scalars(query.order_by(Request.id.desc()).limit(min(limit, PAGE))))


def news(session: Session, actor: Actor) -> tuple[int, list[Request]]:
    """Return how many requests wait for this caller to answer, and what became of his newest."""
    wait = policy.visible(actor, Request).where(Request.state == "asked").subquery()
    waiting = session.scalar(select(func.count()).select_from(wait)) if actor.staff else 0
    mine = policy.visible(actor, Request).where(
        Request.person == actor.name, Request.state != "withdrawn"
    )
    newest = mine.options(selectinload(Request.project)).order_by(Request.id.desc()).limit(NEWS)
    return waiting or 0, list(session.scalars(newest))


def approve(
    session: Session,
    actor: Actor,
    uid: str,
    *,
    name: str | None = None,
    team: str | None = None,
    limit: int | None = None,
    leaders: Sequence[str] = (),
    new_terms: Sequence[dict[str, Any]] | None = None,
) -> Request:
    """Make the project with team, allocation, vocabulary and members; all of it or nothing.

    Staff may give another name, team, limit or vocabulary, and leaders of the team.
    """
    policy.require_staff(actor)
    request = policy.find(session, actor, Request, uid)
    asked = request.wanted
    given = {"name": name or asked["name"], "team": team or asked["team"]}
    _decide(session, actor, request, "approved", "")
    project = projects.make(
        session,
        projects.Wanted(
            name=given["name"],
            team=given["team"],
            title=asked["title"],
            limit=asked["limit"] if limit is None else limit,
            people=asked["members"] | {request.person: "manager"},
            leaders=leaders,
        ),
    )
    _declare(session, project, asked["terms"] if new_terms is None else new_terms)
    request.project = project
    detail = given | {"limit": project.allocation.limit, "leaders": list(leaders)}
    subject = _subject(request)
    journal.record(session, actor.name, "approve request", subject, detail, project_id=project.id)
    return request


def refuse(session: Session, actor: Actor, uid: str, reason: str) -> Request:
    """Say no, and why. Staff may."""
    policy.require_staff(actor)
    request = policy.find(session, actor, Request, uid)
    why = _text(reason, "reason")
    if not why:
        raise BadInput("reason: say why, the person who asked will read it")
    _decide(session, actor, request, "refused", why)
    detail = {"reason": why}
    journal.record(session, actor.name, "refuse request", _subject(request), detail)
    return request


def withdraw(session: Session, actor: Actor, uid: str) -> Request:
    """Take one's own request back."""
    request = policy.find(session, actor, Request, uid)
    if request.person != actor.name or not actor.writes:
        raise NotAllowed("a request is withdrawn by who made it; staff refuses it")
    _decide(session, actor, request, "withdrawn", "")
    journal.record(session, actor.name, "withdraw request", _subject(request))
    return request


def withdraw_all(session: Session, actor: Actor, person: str) -> list[str]:
    """Take back what waits for an answer, because who asked leaves; the caller has the entry."""
    waiting = policy.visible(actor, Request).where(
        Request.person == person, Request.state == "asked"
    )
    found = session.scalars(waiting.order_by(Request.id).with_for_update()).all()
    for request in found:
        _decide(session, actor, request, "withdrawn", "")
    return [request.uid for request in found]


def _decide(session: Session, actor: Actor, request: Request, state: str, reason: str) -> None:
    """Move a request that waits to its end, by one conditional UPDATE, or raise Conflict."""
    capture.touch(session, Request, [request.id])
    told = {"decided_by": actor.name, "decided_at": clock.now(session), "reason": reason}
    moved = session.scalar(
        update(Request)
        .where(Request.id == request.id, Request.state == "asked")
        .values(state=state, **told)
        .returning(Request.id),
        execution_options={"captured": True},
    )
    session.refresh(request)
    if moved is None:
        raise Conflict(f"this request is {request.state} already, by {request.decided_by}")


def _declare(session: Session, project: Project, wanted: Sequence[dict[str, Any]]) -> None:
    """Add the terms to the project's vocabulary; what the facility has already is inherited."""
    have = {term.folded for term in vocabulary.terms(session, project.id)}
    for one in wanted:
        if typed.folded(vocabulary.term_key(one["key"]), 200) not in have:
            terms.add(session, project.id, terms.NewTerm(**one))


def _check(wanted: Wanted) -> None:
    names.slug(wanted.name, "project")
    names.slug(wanted.team, "team")
    names.title(wanted.title)
    projects.nbytes(wanted.limit)
    _text(wanted.purpose, "purpose")
    for person, role in wanted.people.items():
        members.check(person, role)
    for one in wanted.terms:
        vocabulary.term_key(one["key"])
        units.known(one.get("unit", ""))


def _kept(wanted: Wanted) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "team": wanted.team,
        "title": wanted.title,
        "limit": wanted.limit,
        "members": dict(wanted.people),
        "terms": list(wanted.terms),
        "purpose": _text(wanted.purpose, "purpose"),
    }


def _text(text: str, what: str) -> str:
    clean = text.strip()
    if len(clean) > LONGEST or "\0" in clean:
        raise BadInput(f"{what}: text of {LONGEST} characters at most")
    return clean


def _subject(request: Request) -> str:
    return f"request:{request.uid}"
