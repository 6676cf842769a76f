"""How the night goes: what waits and how long, who works, what failed, mail that waits."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from ..db import clock
from ..db.tables import Project, Run, Team
from . import policy
from .actor import Actor
from .notices import outbox
from .queue import beats, lanes

LANES = 100  # told one by one, those that were submitted first
NAMES = 20  # kinds of failures
LATELY = dt.timedelta(hours=1)
WAITING = ("queued", "paused", "later")
STATES = (*WAITING, "starting", "running", "committing")


@dataclass(frozen=True, slots=True)
class Lane:
    """A batch's runs for one cluster: how many are in which state, and why the next one waits.

    `waited`: seconds of the longest wait for a first try, of those that could have begun.
    """

    batch: str
    team: str
    person: str
    kind: str  # "cpu", "gpu", or "" where its template makes no difference
    priority: int
    runs: dict[str, int]
    waited: float | None
    waits: str | None


@dataclass(frozen=True, slots=True)
class Conductor:
    """One that drives clusters. `silent`: seconds since its last sign of life."""

    name: str
    since: dt.datetime
    silent: float
    alive: bool
    clusters: int
    runs: int


@dataclass(frozen=True, slots=True)
class Health:
    """Figures of one moment. `ended` and `failures` (by name of the error) are of the last hour.

    `waited`: seconds of the longest wait for a first try, of all lanes that might begin now.
    """

    at: dt.datetime
    runs: dict[str, int]
    waited: float | None
    lanes: list[Lane]
    lanes_left_out: int
    clusters: int
    conductors: list[Conductor]
    ended: dict[str, int]
    failures: dict[str, int]
    mail: outbox.Backlog


def figures(session: Session, actor: Actor) -> Health:
    """Return them to staff."""
    policy.require_staff_reads(actor)
    now = clock.now(session)
    counted = _counted(session)
    runs = dict.fromkeys(STATES, 0)
    by_lane: dict[str, dict[str, int]] = {}
    first: dict[str, int] = {}
    since: dict[str, dt.datetime] = {}
    for row in counted:
        runs[row.how] += row.count
        by_lane.setdefault(row.lane, {})[row.how] = row.count
        first[row.lane] = min(row.first, first.get(row.lane, row.first))
        if row.how == "queued" and row.since is not None:
            since[row.lane] = row.since
    queue = lanes.look(session)
    startable = {lane.name: place for place, lane in enumerate(queue.startable(), 1)}
    waited = {lane: max(0.0, (now - at).total_seconds()) for lane, at in since.items()}
    told = sorted(first, key=lambda lane: first[lane])[:LANES]
    about = _about(session, [first[lane] for lane in told])
    ended, failures = _ended(session, now)
    conductors = _conductors(session, now)
    return Health(
        at=now,
        runs=runs,
        waited=max((waited[lane] for lane in startable if lane in waited), default=None),
        lanes=[
            Lane(
                *about[lane],
                runs=by_lane[lane],
                waited=waited.get(lane),
                waits=queue.blocked.get(lane)
                or (f"place {startable[lane]} in the queue" if lane in startable else None),
            )
            for lane in told
            if lane in about
        ],
        lanes_left_out=len(first) - len(told),
        clusters=sum(one.clusters for one in conductors),
        conductors=conductors,
        ended=ended,
        failures=failures,
        mail=outbox.backlog(session),
    )


def _counted(session: Session) -> Any:
    """Count what is not over, by lane and what it is doing or waiting for."""
    later = and_(Run.not_before.is_not(None), Run.not_before > clock.current())
    how = case(
        (Run.state != "queued", Run.state), (Run.paused, "paused"), (later, "later"), else_="queued"
    ).label("how")
    # a run that was tried before has waited since then, and nobody knows when that was
    came = case((Run.attempt == 0, func.coalesce(Run.not_before, Run.created_at)))
    going = or_(Run.state == lanes.QUEUED, Run.state.in_([*lanes.DRIVEN, "committing"]))
    asked = select(
        Run.lane,
        how,
        func.count().label("count"),
        func.min(Run.id).label("first"),
        func.min(came).label("since"),
    )
    return session.execute(asked.where(going).group_by(Run.lane, how)).all()


def _about(session: Session, run_ids: list[int]) -> dict[str, tuple[str, str, str, str, int]]:
    asked = select(Run.lane, Run.batch, Team.name, Run.person, Run.gpu, Run.priority)
    rows = session.execute(
        asked.join(Project, Project.id == Run.project_id)
        .join(Team, Team.id == Project.team_id)
        .where(Run.id.in_(run_ids))
    )
    kinds = {None: "", True: "gpu", False: "cpu"}
    return {
        lane: (batch, team, person, kinds[gpu], priority)
        for lane, batch, team, person, gpu, priority in rows
    }


def _ended(session: Session, now: dt.datetime) -> tuple[dict[str, int], dict[str, int]]:
    error = Run.error["error"].as_string()
    name = case((Run.state == "failed", func.coalesce(error, "")), else_="")
    asked = select(Run.state, name, func.count()).where(Run.ended_at >= now - LATELY)
    ended = dict.fromkeys(("done", "failed", "cancelled"), 0)
    failures: Counter[str] = Counter()
    for state, why, count in session.execute(asked.group_by(Run.state, name)):
        if state in ended:
            ended[state] += count
        if state == "failed":
            failures[why[:80]] += count
    return ended, dict(failures.most_common(NAMES))


def _conductors(session: Session, now: dt.datetime) -> list[Conductor]:
    asked = select(Run.lease_by, func.count(), func.count(Run.cluster.distinct()))
    rows = session.execute(asked.where(Run.state.in_(lanes.DRIVEN)).group_by(Run.lease_by))
    held = {name: (clusters, runs) for name, runs, clusters in rows}
    found = []
    for one in beats.known(session):
        silent = max(0.0, (now - one.seen_at).total_seconds())
        clusters, runs = held.get(one.conductor, (0, 0))
        alive = silent < beats.SILENT
        found.append(Conductor(one.conductor, one.since, silent, alive, clusters, runs))
    return found
