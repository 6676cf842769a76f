"""How long a batch waits for its turn: behind its team's own, and for one of the machines' places.

Teams take turns (`core.queue`), so what other teams have waiting costs a place among several, not
the time of all their runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from ...db.tables import Project, Run, Template
from ..queue import leases, limits
from ..templates.manifest import Resources
from . import histories, schedule
from .forecast import Floats

CLUSTERS = 4  # that one conductor has at a time
MOST = 40  # batches before ours that are looked at one by one
UNDER_WAY = ("starting", "running", "committing")


@dataclass(frozen=True, slots=True)
class Lane:
    """What one cluster executes: runs of one batch, so many of them not ended yet."""

    team: int
    template: int
    runs: int
    begun: bool


def waits(
    session: Session, team: int, random: np.random.Generator, before: int | None = None
) -> Floats:
    """Return the seconds until a batch of the team has its turn, in each draw.

    `before` is the first run of a batch that is queued; None: it is not submitted yet.
    """
    lanes = _lanes(session, before)
    mine = [lane for lane in lanes if lane.team == team]
    others = [lane for lane in lanes if lane.team != team]
    allowed = limits.effective(session, [team])[team].batches
    clusters = CLUSTERS * max(len(leases.drivers(session)), 1)
    most = clusters if allowed is None else allowed
    if len(lanes) < clusters and len(mine) < most:
        return np.zeros(schedule.DRAWS)
    teams = {lane.team for lane in others}
    places = max(min(clusters // (1 + len(teams)), most), 1)
    free = schedule.start(places, np.zeros(schedule.DRAWS))
    if len(lanes) >= clusters and others:
        free = free + _one_run(session, others, random)[:, None]
    if len(mine) >= places:
        free = schedule.listed(free, _whole(session, mine, random))
    return np.asarray(free.min(axis=1), np.float64)


def workers(session: Session, team: int, resources: Resources, runs: int) -> int:
    """Return how many of a batch's runs are executed at a time, as its template and limits say."""
    most = limits.effective(session, [team])[team]
    asked = [resources.workers, most.runs, most.person_runs, runs]
    return max(min(one for one in asked if one is not None), 1)


def _lanes(session: Session, before: int | None) -> list[Lane]:
    """Return what is under way, then what waits, in the order of submit."""
    begun = func.max(case((Run.state == "queued", 0), else_=1))
    asked = (
        select(Project.team_id, Run.template_id, func.count(), begun)
        .join(Run.project)
        .where(Run.state.in_((*UNDER_WAY, "queued")), Run.paused.is_(False))
        .group_by(Run.lane, Project.team_id, Run.template_id)
        .order_by(begun.desc(), func.max(Run.priority).desc(), func.min(Run.id))
    )
    if before is not None:
        lane = select(Run.lane).where(Run.id == before).scalar_subquery()
        asked = asked.where(Run.lane != lane).having((func.min(Run.id) < before) | (begun == 1))
    return [Lane(team, template, n, bool(on)) for team, template, n, on in session.execute(asked)]


def _one_run(session: Session, others: Sequence[Lane], random: np.random.Generator) -> Floats:
    """Return until a place of others is free: the rest of a run, the first of those under way."""
    runs = [_typical(session, lane.template, random)[0] for lane in others[:CLUSTERS]]
    rest = np.column_stack(runs) * random.random((schedule.DRAWS, len(runs)))
    return np.asarray(rest.min(axis=1), np.float64)


def _whole(session: Session, lanes: Sequence[Lane], random: np.random.Generator) -> Floats:
    """Return what each lane takes on its workers: (draws, lanes)."""
    known: dict[int, tuple[Floats, int]] = {}
    whole = []
    for lane in lanes[:MOST]:
        if lane.template not in known:
            known[lane.template] = _typical(session, lane.template, random)
        each, at_once = known[lane.template]
        whole.append(each * (lane.runs / min(at_once, lane.runs)))
    return np.column_stack(whole) * (len(lanes) / len(whole))


def _typical(session: Session, template_id: int, random: np.random.Generator) -> tuple[Floats, int]:
    """Return what runs of a template take as a rule, and its workers; anything if nobody knows."""
    template = session.get_one(Template, template_id)
    history = histories.of(session, template)
    at_once = histories.resources(template).workers
    by = history.forecast()
    if by is None:
        return history.most * random.random(schedule.DRAWS), at_once
    return by.drawn(np.exp(np.array([by.middle])), schedule.DRAWS, random)[:, 0], at_once
