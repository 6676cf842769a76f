"""The ledger's lines: added, never changed. A mistake is corrected by a line of its own, a credit.

Storage: for each project and day, the bytes held at the end of that day (UTC) are one day's
byte-days. Runs: the seconds of the attempt that ended a run, times its template's cores or gpus.
Every line says the team's and project's names, the address and the tariff as they were, so that an
invoice is computed from lines and prices alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from ...db.tables import Dataset, Line, Project, Run, Team, Template
from .. import journal
from . import holdings
from .holdings import Bytes

KINDS = ("storage", "archive", "gpu", "cpu")
SYSTEM = "cid"  # who writes what nobody did
BATCH = 400
MARGIN = dt.timedelta(hours=1)  # after midnight; what began before it is committed by then


def due(session: Session, now: dt.datetime) -> list[dt.date]:
    """Return the days that are over and not in the ledger yet, the earliest first."""
    last = session.scalar(select(func.max(Line.day)).where(Line.key.startswith("storage/")))
    if last is None:
        begun = session.scalar(select(func.min(Project.created_at)))
        if begun is None:
            return []
        last = begun.date() - dt.timedelta(1)
    over = (now - MARGIN).date() - last  # today is not over
    return [last + dt.timedelta(n) for n in range(1, over.days)]


def accrue(session: Session, day: dt.date, now: dt.datetime) -> int:
    """Add the lines of every project that existed on `day`, and return how many; again adds none.

    Bytes are those of the records that had come by the end of the day and were not purged by then.
    Computed later than the day after, records that were moved or archived meanwhile are counted
    where they are now: such lines say `estimated`.
    """
    end = dt.datetime.combine(day + dt.timedelta(1), dt.time(), dt.UTC)
    held = holdings.by_dataset(session, at=end)
    called = _datasets(session, [key for parts in held.values() for key in parts])
    before = _wholes(session, day - dt.timedelta(1))
    known = set(session.scalars(select(Line.key).where(Line.day == day)))
    late = {"estimated": True} if now.date() > day + dt.timedelta(1) else {}
    added = [
        line
        for project, team in _projects(session, end)
        for line in _of_day(day, project, team, held.get(project.id, {}), called, before, late)
        if line.key not in known
    ]
    session.add_all(added)
    if added:
        told = {"day": day.isoformat(), "lines": len(added), **late}
        journal.record(session, SYSTEM, "accrue", f"ledger:{day}", told)
    return len(added)


def end_of_runs(session: Session, run_ids: Collection[int]) -> None:
    """Add what the attempts that just ended have taken; nothing for one that had not begun.

    Attempts that were lost with their worker and went back to the queue are not charged. The entry
    in the journal is that of the runs' end.
    """
    asked = (
        select(
            Run.uid,
            Run.attempt,
            Run.state,
            Run.person,
            Run.gpu,
            Run.started_at,
            Run.ended_at,
            Template.name,
            Template.version,
            Template.manifest["resources"].label("resources"),
            Project,
            Team,
        )
        .join(Template, Template.id == Run.template_id)
        .join(Project, Project.id == Run.project_id)
        .join(Team, Team.id == Project.team_id)
        .where(Run.started_at.is_not(None), Run.ended_at.is_not(None))
        .order_by(Run.id)
    )
    rest = iter(run_ids)
    while batch := list(islice(rest, BATCH)):
        for row in session.execute(asked.where(Run.id.in_(batch))):
            session.add_all(_of_run(row))


def _of_run(run: Row[Any]) -> Iterator[Line]:
    seconds = -(-(run.ended_at - run.started_at) // dt.timedelta(seconds=1))  # begun ones count
    about = {
        "uid": run.uid,
        "attempt": run.attempt,
        "state": run.state,
        "person": run.person,
        "template": f"{run.name} {run.version}",
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat(),
    }
    resources: Mapping[str, int] = run.resources or {}
    gpus = resources.get("gpus", 0) if run.gpu is not False else 0
    for kind, units in (("cpu", resources.get("cores", 1)), ("gpu", gpus)):
        if units:
            yield Line(
                key=f"{kind}/{run.uid}/{run.attempt}",
                kind=kind,
                day=run.ended_at.date(),
                team_id=run.Team.id,
                project_id=run.Project.id,
                person=run.person,
                amount=units * max(seconds, 0),
                detail=names(run.Project, run.Team) | {"run": about | {"units": units}},
            )


def names(project: Project, team: Team) -> dict[str, Any]:
    """Return who is charged, as a line keeps it."""
    return {
        "team": {
            "name": team.name,
            "title": team.title,
            "address": team.address,
            "tariff": team.tariff,
        },
        "project": {"uid": project.uid, "name": project.name, "title": project.title},
    }


def _projects(session: Session, end: dt.datetime) -> list[tuple[Project, Team]]:
    asked = select(Project, Team).join(Team, Team.id == Project.team_id)
    rows = session.execute(asked.where(Project.created_at < end).order_by(Project.id))
    return [(project, team) for project, team in rows]


def _of_day(
    day: dt.date,
    project: Project,
    team: Team,
    held: Mapping[int, Bytes],
    called: Mapping[int, tuple[str, str]],
    before: Mapping[tuple[int, str], tuple[str, dict[str, Any]]],
    late: dict[str, Any],
) -> Iterator[Line]:
    """Yield the storage line, always, and the archive line where something is in the archive.

    `called`: uid and path of each dataset.
    """
    for kind in ("storage", "archive"):
        parts = {
            key: part.used if kind == "storage" else part.archived for key, part in held.items()
        }
        parts = {key: nbytes for key, nbytes in parts.items() if nbytes}
        if kind == "archive" and not parts:
            continue
        datasets = sorted([*called[dataset], nbytes] for dataset, nbytes in parts.items())
        detail = names(project, team) | {"datasets": datasets}
        key, told = before.get((project.id, kind), ("", {}))
        yield Line(
            key=f"{kind}/{day}/{project.uid}",
            kind=kind,
            day=day,
            team_id=team.id,
            project_id=project.id,
            person=SYSTEM,
            amount=sum(parts.values()),
            detail=({"same": key} if told == detail else detail) | late,
        )


def _datasets(session: Session, ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return uid and path of these datasets, whatever became of them."""
    rest = iter(ids)
    found: dict[int, tuple[str, str]] = {}
    while batch := list(islice(rest, BATCH)):
        asked = select(Dataset.id, Dataset.uid, Dataset.path).where(Dataset.id.in_(batch))
        found.update((row.id, (row.uid, row.path)) for row in session.execute(asked))
    return found


def _wholes(session: Session, day: dt.date) -> dict[tuple[int, str], tuple[str, dict[str, Any]]]:
    """Return by project and kind the key and detail of the line that tells this day whole.

    A day like the one before it says `same` and the key of that line: most days of most projects.
    """
    kept = Line.kind.in_(("storage", "archive")) & (Line.amount >= 0)
    of_day = session.scalars(select(Line).where(Line.day == day, kept)).all()
    told = whole(session, of_day)
    return {
        (line.project_id, line.kind): (line.detail.get("same", line.key), detail)
        for line, detail in zip(of_day, told, strict=True)
    }


def whole(session: Session, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return the detail of each line, with what an earlier line tells for it."""
    there = {line.key: line.detail for line in lines if "same" not in line.detail}
    rest = iter(
        sorted({line.detail["same"] for line in lines if "same" in line.detail} - set(there))
    )
    while batch := list(islice(rest, BATCH)):
        asked = select(Line.key, Line.detail).where(Line.key.in_(batch))
        there.update((row.key, row.detail) for row in session.execute(asked))
    found = (there[line.detail.get("same", line.key)] for line in lines)
    return [{k: v for k, v in detail.items() if k != "estimated"} for detail in found]
