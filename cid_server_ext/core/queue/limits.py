"""What a team, and each person in it, may have under way at a time; set by staff."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, fields

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Line, RunLimits, Team
from ...db.tables.queue import FACILITY
from ...errors import BadInput, Conflict
from .. import journal, policy
from ..actor import Actor

MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Clusters and runs at a time, of the team and of each person; GPU minutes a month.

    None is no limit. Of two teams that wait, one with twice the share gets twice the machines.
    """

    share: float | None = None
    batches: int | None = None
    runs: int | None = None
    person_batches: int | None = None
    person_runs: int | None = None
    gpu_minutes: int | None = None


NAMES = tuple(field.name for field in fields(Limits))


def facility(session: Session) -> Limits:
    """Return what holds for every team of which staff said nothing else."""
    return _read(session.scalar(select(RunLimits).where(RunLimits.uid == FACILITY)))


def own(session: Session, team_id: int) -> Limits:
    """Return what staff said of this team."""
    return _read(session.scalar(select(RunLimits).where(RunLimits.team_id == team_id)))


def effective(session: Session, team_ids: Collection[int]) -> dict[int, Limits]:
    """Return what holds for each of the teams."""
    general = facility(session)
    rows = session.scalars(select(RunLimits).where(RunLimits.team_id.in_(team_ids)))
    known = {row.team_id: row for row in rows}
    return {team: _over(_read(known.get(team)), general) for team in team_ids}


def set_limits(session: Session, actor: Actor, team: str | None, new: Limits) -> None:
    """Say what a team, or without one the facility, allows from now on. Staff may.

    What is under way goes on. Raises BadInput, NotAllowed, NotFound.
    """
    policy.require_staff(actor)
    row = policy.find(session, actor, Team, team) if team is not None else None
    told = {name: getattr(new, name) for name in NAMES}
    for name, value in told.items():
        least = 0.001 if name == "share" else 0
        if value is not None and not least <= value <= MOST:
            raise BadInput(f"{name}: from {least} to {MOST}, or null for no limit of its own")
    mine = RunLimits.uid == FACILITY if row is None else RunLimits.team_id == row.id
    known = session.scalar(select(RunLimits).where(mine))
    if known is None:
        known = RunLimits(team_id=row.id) if row is not None else RunLimits(uid=FACILITY)
        session.add(known)
    for name, value in told.items():
        setattr(known, name, value)
    about = f"team:{row.name}" if row is not None else "facility:runs"
    journal.record(session, actor.name, "set run limits", about, told)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("somebody else set these limits just now: retry") from None


def gpu_minutes(session: Session, team_ids: Collection[int]) -> dict[int, float]:
    """Return the GPU minutes of each team's runs that ended in this month (UTC)."""
    first = clock.now(session).date().replace(day=1)
    asked = select(Line.team_id, func.sum(Line.amount)).where(
        Line.kind == "gpu", Line.day >= first, Line.team_id.in_(team_ids)
    )
    rows = session.execute(asked.group_by(Line.team_id))
    minutes = {team: float(seconds) / 60 for team, seconds in rows}
    return {team: minutes.get(team, 0.0) for team in team_ids}


def gpu_left(session: Session, team_id: int) -> float | None:
    """Return the GPU minutes that the team has left this month; None: there is no limit."""
    most = effective(session, [team_id])[team_id].gpu_minutes
    if most is None:
        return None
    return max(0.0, most - gpu_minutes(session, [team_id])[team_id])


def next_month(now: dt.datetime) -> dt.date:
    """Return the day on which the GPU minutes are counted anew."""
    return (now.date().replace(day=1) + dt.timedelta(32)).replace(day=1)


def _read(row: RunLimits | None) -> Limits:
    return Limits() if row is None else Limits(**{name: getattr(row, name) for name in NAMES})


def _over(one: Limits, general: Limits) -> Limits:
    said = {name: getattr(one, name) for name in NAMES}
    return Limits(
        **{name: getattr(general, name) if value is None else value for name, value in said.items()}
    )
