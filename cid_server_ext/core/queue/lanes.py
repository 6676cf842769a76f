"""What waits and what is under way, lane by lane, and in which order the lanes come.

A lane is what one cluster executes: a batch's runs in one project, on one kind of machine. Teams
come by what they had of the machines, each by its share; a team's lanes by priority, then in the
order of their submit. One lane has one cluster.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, false, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from ...db import clock
from ...db.tables import Project, Run, Template
from . import limits, shares
from .limits import Limits

AHEAD = 60.0  # seconds that a run in hand counts beyond those it has had

QUEUED: ColumnElement[str] = literal_column(
    "'queued'"
)  # in the statement itself: partial indexes are found by it
DRIVEN: list[ColumnElement[str]] = [literal_column("'starting'"), literal_column("'running'")]


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane of which runs wait; `first` is the first of them."""

    name: str
    first: int
    batch: str
    team_id: int
    person: str
    template_id: int
    gpu: bool
    priority: int
    resources: dict[str, Any]


@dataclass(slots=True)
class Held:
    """What a team, or a person in it, has under way."""

    lanes: set[str] = field(default_factory=set)
    runs: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue at one moment. `scores`: what each team has had, by its share; least comes first.

    `blocked` says of each lane that may not start now why.
    """

    waiting: list[Lane]
    scores: dict[int, float]
    teams: dict[int, Held]
    people: dict[tuple[int, str], Held]
    allowed: dict[int, Limits]
    blocked: dict[str, str]

    def startable(self) -> list[Lane]:
        """Return the lanes that may start now, the next one first."""
        return [lane for lane in self.waiting if lane.name not in self.blocked]

    def room(self, lane: Lane) -> int | None:
        """Return how many more runs of this lane may start now; None: there is no limit."""
        most, team = self.allowed[lane.team_id], self.teams.get(lane.team_id, Held())
        person = self.people.get((lane.team_id, lane.person), Held())
        free = [
            limit - held.runs
            for limit, held in ((most.runs, team), (most.person_runs, person))
            if limit is not None
        ]
        return max(0, min(free)) if free else None


def look(session: Session, *, keep: bool = False) -> Queue:
    """Return the queue as it is now. `keep` is for who claims: sums are kept on the way."""
    now = clock.now(session)
    waiting, driven = _waiting(session), _driven(session)
    had = shares.add_up(session, now) if keep else shares.used(session, now)
    teams: dict[int, Held] = {}
    people: dict[tuple[int, str], Held] = {}
    cores = _resources(session, {row.template_id for row in driven})
    for row in driven:
        for held in (
            teams.setdefault(row.team_id, Held()),
            people.setdefault((row.team_id, row.person), Held()),
        ):
            held.lanes.add(row.lane)
            held.runs += 1
        seconds = AHEAD + ((now - row.started_at).total_seconds() if row.started_at else 0.0)
        weight = shares.weight(cores[row.template_id], row.gpu)
        had[row.team_id] = had.get(row.team_id, 0.0) + seconds * weight
    allowed = limits.effective(session, {lane.team_id for lane in waiting})
    scores = {team: had.get(team, 0.0) / (most.share or 1.0) for team, most in allowed.items()}
    waiting.sort(key=lambda lane: (scores[lane.team_id], lane.team_id, -lane.priority, lane.first))
    queue = Queue(waiting, scores, teams, people, allowed, {})
    _block(session, queue, now)
    return queue


def of_lane(run: type[Run], lane: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return WHERE clauses for one lane, as a range: with `in_order` only one index will do.

    By `=` and that order, PostgreSQL may walk through all runs there ever were.
    """
    return run.lane >= lane, run.lane <= lane


def in_order(run: type[Run]) -> tuple[Any, Any, Any]:
    """Return the order of a lane's runs, as the index has them: what was never tried comes first.

    Else a run whose worker died would go at once to where workers die.
    """
    return run.lane, run.attempt, run.id


def due(run: type[Run]) -> ColumnElement[bool]:
    """Return the WHERE clause that keeps queued runs which wait for nothing but their turn."""
    come = or_(run.not_before.is_(None), run.not_before <= clock.current())
    return (run.state == QUEUED) & (run.paused == false()) & come


def _waiting(session: Session) -> list[Lane]:
    firsts = [number for number in session.scalars(_FIRST_OF_EACH) if number is not None]
    asked = select(
        Run.id,
        Run.lane,
        Run.batch,
        Run.person,
        Run.template_id,
        Run.gpu,
        Run.priority,
        Project.team_id,
    ).join(Project, Project.id == Run.project_id)
    rows: list[Any] = []
    for at in range(0, len(firsts), shares.BATCH):
        some = Run.id.in_(firsts[at : at + shares.BATCH])
        rows += session.execute(asked.where(some)).all()
    known = _resources(session, {row.template_id for row in rows})
    return [
        Lane(
            row.lane,
            row.id,
            row.batch,
            row.team_id,
            row.person,
            row.template_id,
            bool(known[row.template_id].get("gpus")) and row.gpu is not False,
            row.priority,
            known[row.template_id],
        )
        for row in rows
    ]


def _driven(session: Session) -> Any:
    asked = select(
        Run.lane, Run.person, Run.gpu, Run.template_id, Run.started_at, Project.team_id
    ).join(Project, Project.id == Run.project_id)
    return session.execute(asked.where(Run.state.in_(DRIVEN))).all()


def _resources(session: Session, template_ids: set[int]) -> dict[int, dict[str, Any]]:
    if not template_ids:
        return {}
    asked = select(Template.id, Template.manifest["resources"]).where(Template.id.in_(template_ids))
    return {number: found or {} for number, found in session.execute(asked)}


def _block(session: Session, queue: Queue, now: dt.datetime) -> None:
    """Find the lanes that may not start, and why."""
    limited = [team for team, most in queue.allowed.items() if most.gpu_minutes is not None]
    minutes = limits.gpu_minutes(session, limited) if limited else {}
    for lane in queue.waiting:
        reason = _reason(queue, lane, minutes, now)
        if reason is not None:
            queue.blocked[lane.name] = reason


def _reason(queue: Queue, lane: Lane, minutes: dict[int, float], now: dt.datetime) -> str | None:
    most = queue.allowed[lane.team_id]
    team = queue.teams.get(lane.team_id, Held())
    person = queue.people.get((lane.team_id, lane.person), Held())
    spent = minutes.get(lane.team_id, 0.0)
    if lane.gpu and most.gpu_minutes is not None and spent >= most.gpu_minutes:
        again = limits.next_month(now)
        return (
            f"its team has used {spent:.0f} of {most.gpu_minutes} GPU minutes of this month:"
            f" it goes on at {again}, or ask staff for more"
        )
    if lane.name in team.lanes:
        return "its batch is under way: it comes when one of its workers is free"
    for who, held, batches, runs in (
        ("its team runs", team, most.batches, most.runs),
        (f"{lane.person} runs", person, most.person_batches, most.person_runs),
    ):
        if batches is not None and len(held.lanes) >= batches:
            return f"{who} {len(held.lanes)} of {batches} clusters"
        if runs is not None and held.runs >= runs:
            return f"{who} {held.runs} of {runs} runs"
    return None


def _first_of_each() -> Any:
    """Select the first waiting run of each lane, from one lane's end to the next by the index."""
    one, later, head = aliased(Run), aliased(Run), aliased(Run)
    lanes = (
        select(func.min(one.lane).label("lane"))
        .where(one.state == QUEUED, one.paused == false())
        .cte("lanes", recursive=True)
    )
    following = (
        select(func.min(later.lane))
        .where(later.state == QUEUED, later.paused == false(), later.lane > lanes.c.lane)
        .correlate(lanes)
        .scalar_subquery()
    )
    lanes = lanes.union_all(select(following).where(lanes.c.lane.is_not(None)))
    first = (
        select(head.id)
        .where(due(head), *of_lane(head, lanes.c.lane))
        .order_by(*in_order(head))
        .limit(1)
        .correlate(lanes)
        .scalar_subquery()
    )
    return select(first).select_from(lanes).where(lanes.c.lane.is_not(None))


_FIRST_OF_EACH = _first_of_each()
