"""Batches: the runs of one submit. What a batch is follows from its runs; nothing of it is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from ...db.tables import Project, Run, Template
from ...errors import NotFound
from .. import policy
from ..actor import Actor
from .states import ENDED

FAILURES = 20  # kinds of them that are told
RUNNING = frozenset({"starting", "running", "committing"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Runs that failed in the same way: which error, in which cell; `run` is the first of them."""

    error: str
    cell: int | None
    count: int
    run: str
    message: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as its runs make it. `first` is the first of them, `counts` has them by state.

    `paused` of those that are queued wait until somebody resumes them. `fraction` of what is to do
    is done; a run that ended counts whole.
    """

    uid: str
    first: Run
    counts: Mapping[str, int]
    paused: int
    fraction: float
    ended_at: dt.datetime | None
    failures: Sequence[Failure] = field(default=())

    @property
    def state(self) -> str:
        """Where it is: queued, paused, running; at its end failed, cancelled or done."""
        return state(self.counts, self.paused)

    @property
    def runs(self) -> int:
        """How many runs it has."""
        return sum(self.counts.values())


def state(counts: Mapping[str, int], paused: int = 0) -> str:
    """Return the state of a batch that has so many runs in each state, `paused` of the queued."""
    there = {name for name, count in counts.items() if count}
    if there & RUNNING:
        return "running"
    if "queued" in there:
        if paused == counts["queued"]:
            return "paused"
        return "queued" if there == {"queued"} else "running"
    return next((end for end in ("failed", "cancelled") if end in there), "done")


def listing(
    session: Session,
    actor: Actor,
    *,
    project: str | None = None,
    mine: bool = False,
    limit: int = 50,
    after: int | None = None,
) -> list[Batch]:
    """Return the batches that I may see, newest first; `after` is the id of the last one's first.

    Of a batch in several projects those runs count that I may see.
    """
    where = _seen(session, actor, project)
    earlier = aliased(Run)
    before = select(earlier.id).where(
        earlier.batch == Run.batch, earlier.id < Run.id, _of(earlier, where)
    )
    chosen = select(Run).where(_of(Run, where), ~before.exists())
    if mine:
        chosen = chosen.where(Run.person == actor.name)
    if after is not None:
        chosen = chosen.where(Run.id < after)
    names = chosen.options(
        joinedload(Run.template).joinedload(Template.project), joinedload(Run.project)
    )
    firsts = session.scalars(names.order_by(Run.id.desc()).limit(limit)).all()
    return _told(session, firsts, where)


def get(session: Session, actor: Actor, uid: str) -> Batch:
    """Return one batch and why runs of it failed, or raise NotFound."""
    where = _seen(session, actor, None)
    chosen = select(Run).where(Run.batch == uid, _of(Run, where))
    first = session.scalars(chosen.order_by(Run.id).limit(1)).first()
    if first is None:
        raise NotFound(f"no batch {uid!r} that you can see")
    (row,) = _told(session, [first], where)
    failures = _failures(session, uid, where) if row.counts.get("failed") else ()
    return replace(row, failures=failures)


Seen = Sequence[int] | None  # ids of projects; None: all


def _seen(session: Session, actor: Actor, project: str | None) -> Seen:
    if project is not None:
        return [policy.find(session, actor, Project, project).id]
    if actor.staff and actor.run_id is None:
        return None
    return list(session.scalars(policy.projects(actor)))


def _of(run: type[Run], where: Seen) -> ColumnElement[bool]:
    return run.id == run.id if where is None else run.project_id.in_(where)


def _told(session: Session, firsts: Sequence[Run], where: Seen) -> list[Batch]:
    """Return the batches of these runs, counted by the database in one question."""
    uids = [first.batch for first in firsts]
    part = case(
        (Run.state.in_(ENDED), 1.0),
        else_=func.coalesce(Run.progress["fraction"].as_float(), 0.0),
    )
    asked = (
        select(
            Run.batch,
            Run.state,
            func.count(),
            func.sum(case((Run.paused, 1), else_=0)),
            func.sum(part),
            func.max(Run.ended_at),
        )
        .where(Run.batch.in_(uids), _of(Run, where))
        .group_by(Run.batch, Run.state)
    )
    counts: dict[str, dict[str, int]] = {}
    paused: dict[str, int] = {}
    parts: dict[str, float] = {}
    ends: dict[str, dt.datetime] = {}
    for uid, now, count, held, done, ended in session.execute(asked):
        counts.setdefault(uid, {})[now] = count
        if now == "queued":
            paused[uid] = int(held)
        parts[uid] = parts.get(uid, 0.0) + float(done or 0)
        if ended is not None:
            ends[uid] = max(ended, ends.get(uid, ended))
    return [
        Batch(
            uid=first.batch,
            first=first,
            counts=(of := counts[first.batch]),
            paused=paused.get(first.batch, 0),
            fraction=parts[first.batch] / sum(of.values()),
            ended_at=ends.get(first.batch) if state(of) in ENDED else None,
        )
        for first in firsts
    ]


def _failures(session: Session, batch: str, where: Seen) -> list[Failure]:
    """Return what failed, grouped by error and cell, the most frequent first."""
    error, cell = Run.error["error"].as_string(), Run.error["cell"].as_integer()
    failed = (Run.batch == batch, Run.state == "failed", _of(Run, where))
    asked = select(error, cell, func.count(), func.min(Run.id)).where(*failed)
    groups = session.execute(
        asked.group_by(error, cell).order_by(func.count().desc(), func.min(Run.id)).limit(FAILURES)
    ).all()
    firsts = select(Run.id, Run.uid, Run.error).where(Run.id.in_([group[3] for group in groups]))
    known = {row.id: row for row in session.execute(firsts)}
    return [
        Failure(
            error=name or "Failed",
            cell=at,
            count=count,
            run=known[first].uid,
            message=" ".join(str((known[first].error or {}).get("message") or "").split())[:500],
        )
        for name, at, count, first in groups
    ]
