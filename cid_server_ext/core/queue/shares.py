"""What part of the machines each team had lately: who had least goes first.

Machine time is counted in core-seconds and fades: an hour later half of it is forgotten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Project, Run, Spent, TeamUse, Template

HALF = 3600.0  # seconds after which half of what was used is forgotten
GPU_CORES = 8  # so many cores a GPU counts as
BATCH = 400


def weight(resources: Mapping[str, Any], gpu: bool | None) -> int:
    """Return as how many cores a run counts; `gpu` is its class, None: as its template says."""
    gpus = int(resources.get("gpus", 0)) if gpu is not False else 0
    return int(resources.get("cores", 1)) + GPU_CORES * gpus


def begun(session: Session, run_ids: Collection[int]) -> list[Any]:
    """Return those of the runs that have begun, as `spend` wants them."""
    asked = (
        select(
            Run.id,
            Run.started_at,
            Run.gpu,
            Project.team_id,
            Template.manifest["resources"].label("resources"),
        )
        .join(Project, Project.id == Run.project_id)
        .join(Template, Template.id == Run.template_id)
    )
    listed = list(run_ids)
    found: list[Any] = []
    for at in range(0, len(listed), BATCH):
        some = Run.id.in_(listed[at : at + BATCH])
        found += session.execute(asked.where(some, Run.started_at.is_not(None))).all()
    return found


def spend(session: Session, attempts: Iterable[Any]) -> None:
    """Note what attempts that just ended have used; the next claim adds it up."""
    now = clock.now(session)
    session.add_all(
        Spent(
            team_id=row.team_id,
            used=max(0.0, (now - row.started_at).total_seconds())
            * weight(row.resources or {}, row.gpu),
            at=now,
        )
        for row in attempts
    )


def used(session: Session, now: dt.datetime) -> dict[int, float]:
    """Return what each team has used, as it counts now."""
    found: dict[int, float] = {}
    for source in (TeamUse, Spent):
        for team, seconds, at in session.execute(select(source.team_id, source.used, source.at)):
            found[team] = found.get(team, 0.0) + faded(seconds, at, now)
    return found


def add_up(session: Session, now: dt.datetime) -> dict[int, float]:
    """Do as `used`, and keep the sums instead of their parts. One claim at a time does."""
    parts = session.execute(delete(Spent).returning(Spent.team_id, Spent.used, Spent.at)).all()
    found = {row.team_id: row for row in session.scalars(select(TeamUse))}
    for team, seconds, at in parts:
        row = found.get(team)
        if row is None:
            row = found[team] = TeamUse(team_id=team, used=0.0, at=now)
            session.add(row)
        row.used, row.at = faded(row.used, row.at, now) + faded(seconds, at, now), now
    return {team: faded(row.used, row.at, now) for team, row in found.items()}


def faded(seconds: float, at: dt.datetime, now: dt.datetime) -> float:
    """Return what is left by now of machine time that was used at `at`."""
    age = max(0.0, (now - at).total_seconds())
    return float(seconds * 0.5 ** (age / HALF))
