"""When a run, or a batch, that is under way will end, from how far it is now."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Image, Project, Run, RunInput, Template
from ..runs import states
from . import ahead, going, histories, schedule
from .estimate import interval
from .forecast import SEED, Floats, Forecast, pixels
from .histories import History

LOOKED = 200  # queued runs whose images are looked at
COMMITTING = (0.3, 3.0)  # of what committing takes, each of it as likely


@dataclass(frozen=True, slots=True)
class Eta:
    """An interval of 80 % and its middle; without history only when it will be ended at most."""

    low: dt.datetime | None
    likely: dt.datetime | None
    high: dt.datetime


@dataclass(frozen=True, slots=True)
class Under:
    """The runs of a batch that have not ended: those under way, and the first that are queued."""

    driven: Sequence[Row[Any]]
    first: Sequence[Row[Any]]
    queued: int
    now: dt.datetime

    def those(self, *of: str) -> list[Row[Any]]:
        """Return those under way of these states."""
        return [row for row in self.driven if row.state in of]

    def waiting(self) -> Floats:
        """Return the pixels of each that is queued, of very many as if all were like the first."""
        return np.resize(pixels(self.first), self.queued)

    def elapsed(self, row: Row[Any]) -> float:
        """Return the seconds since a run began."""
        return max((self.now - (row.started_at or self.now)).total_seconds(), 0.0)


def of_batch(session: Session, batch: str) -> Eta | None:
    """Return when the last run of a batch ends; None: all have, or those that wait are paused."""
    return _of(session, _under(session, Run.batch == batch))


def of_run(session: Session, run: Run) -> Eta | None:
    """Return when a run ends; None: it has, or it is paused."""
    if run.state in states.ENDED or (run.state == "queued" and run.paused):
        return None
    if run.state not in ("queued", "starting"):
        return _of(session, _under(session, Run.id == run.id))
    return _of(session, _under(session, (Run.lane == run.lane) & (Run.id <= run.id)))


def _under(session: Session, which: ColumnElement[bool]) -> Under:
    asked = (
        select(
            Run.id, Run.state, Run.template_id, Run.project_id, Run.started_at, Run.progress,
            Image.shape,
        )
        .join(RunInput, (RunInput.run_id == Run.id) & (RunInput.position == 0))
        .join(Image, Image.id == RunInput.image_id)
        .where(which)
        .order_by(Run.id)
    )  # fmt: skip
    waits = (Run.state == "queued") & Run.paused.is_(False)
    driven = session.execute(asked.where(Run.state.in_(ahead.UNDER_WAY))).all()
    first = session.execute(asked.where(waits).limit(LOOKED)).all()
    queued = len(first)
    if queued == LOOKED:
        queued = session.scalars(select(func.count()).where(which, waits)).one()
    return Under(driven, first, queued, clock.now(session))


def _of(session: Session, under: Under) -> Eta | None:
    if not under.driven and not under.first:
        return None
    first = [*under.driven, *under.first][0]
    left = len(under.driven) + under.queued
    template = session.get_one(Template, first.template_id)
    known = histories.of(session, template)
    by = known.forecast()
    team = session.get_one(Project, first.project_id).team_id
    at_once = ahead.workers(session, team, histories.resources(template), left)
    if by is None:
        return _bound(under, known.most, at_once)
    random = np.random.default_rng(SEED)
    free = _busy(under, known, by, at_once, random)
    if free is None:
        begun = random.choice(known.starts(), schedule.DRAWS)
        if not under.driven:
            begun = begun + ahead.waits(session, team, random, before=first.id)
        free = schedule.start(at_once, begun)
    coming = np.concatenate([pixels(under.those("starting")), under.waiting()])
    if len(coming):
        free = schedule.run(free, by, coming, random)
    seconds = interval(free.max(axis=1))
    low, likely, high = (
        (under.now + dt.timedelta(seconds=each or 0.0)).replace(microsecond=0)
        for each in (seconds.low, seconds.likely, seconds.high)
    )
    return Eta(low, likely, high)


def _busy(
    under: Under, known: History, by: Forecast, at_once: int, random: np.random.Generator
) -> Floats | None:
    """Return since when each worker is free again in each draw; None: none has begun."""
    columns = []
    if running := under.those("running"):
        elapsed = np.array([under.elapsed(row) for row in running])
        done = np.array([float(row.progress.get("fraction", 0.0)) for row in running])
        columns.append(going.left(by, pixels(running), elapsed, done, random))
    if committing := under.those("committing"):
        drawn = random.uniform(*COMMITTING, (schedule.DRAWS, len(committing)))
        columns.append(drawn * known.commits())
    if not columns:
        return None
    busy = np.column_stack(columns)
    idle = np.zeros((schedule.DRAWS, max(at_once - busy.shape[1], 0)))
    return np.column_stack([busy, idle])


def _bound(under: Under, most: float, at_once: int) -> Eta:
    """Return when the last one is ended at most, if nothing else is in the queue."""
    rounds = math.ceil(under.queued / at_once) + (1 if under.driven else 0)
    earliest = min((row.started_at for row in under.driven if row.started_at), default=under.now)
    high = earliest + dt.timedelta(seconds=rounds * most)
    return Eta(None, None, high.replace(microsecond=0))
