"""Search: a query, a caller and an order become a page of record ids, or their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...db.session import limited
from ...db.tables import Project
from ...errors import BadInput
from .. import policy
from ..actor import Actor
from ..people import staff_reads
from . import language as q
from . import overlaps, parser, sorts
from .plan import FEW, Plan, plan
from .resolve import Reach, Shown, reach, resolve

IMAGES = frozenset({"image", "labels"})
ANY = frozenset(q.KINDS)
PAGE = 200
PATIENCE = 2.0  # seconds of a search inside a change, which holds others up
SCANS = (400, 8000)  # candidates that are asked before all of them are


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: a query, maybe inside a project and a dataset, about records of some kinds."""

    text: str = ""
    project: str | None = None
    dataset: str | None = None
    kinds: frozenset[str] = ANY
    sort: str = sorts.NEWEST
    limit: int = 50
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Ids of records in the order that was asked for, and the token of the next page."""

    ids: list[int]
    next: str | None


def find(session: Session, actor: Actor, asked: Asked) -> Found:
    """Return a page of the records the caller reaches that fit the query.

    Raises BadInput that names the field, and NotFound for a project that is hidden or absent.
    """
    if not 1 <= asked.limit <= PAGE:
        raise BadInput(f"limit: 1 to {PAGE}; follow `next` for more")
    where = reach(session, actor)
    sort = sorts.read(session, where, asked.sort)
    after = sorts.after(sort, asked.after)
    chosen = plan(session, where, node(session, where, asked), asked.kinds)
    if sort.by_age:
        bound = after.id if after else None
        ids = newest(session, chosen, asked.limit + 1, bound, oldest=sort.name == sorts.OLDEST)
        rows = [sorts.After(record) for record in ids]
    else:
        paged = sorts.page(chosen.matching(), sort, chosen.dialect, asked.limit + 1, after)
        rows = [sorts.After(record, value) for record, value in session.execute(paged)]
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    return Found([row.id for row in rows], sorts.token(sort, rows[-1]) if more else None)


def count(session: Session, actor: Actor, asked: Asked) -> int:
    """Return how many records the caller reaches that fit the query."""
    where = reach(session, actor)
    if asked.project is None:
        staff_reads.everywhere(session)
    return number(session, plan(session, where, node(session, where, asked), asked.kinds))


def every(session: Session, actor: Actor, asked: Asked, most: int) -> list[int]:
    """Return all that fits, newest first, for a step that takes it whole; `most` at once.

    Raises BadInput that says how many there are, and TooCostly before others have waited long.
    """
    with limited(session, PATIENCE):
        where = reach(session, actor)
        chosen = plan(session, where, node(session, where, asked), asked.kinds)
        found = list(newest(session, chosen, most + 1))
        if len(found) > most:
            there = number(session, chosen)
            raise BadInput(f"query: it finds {there} records, at most {most} are taken at once")
    return found


def number(session: Session, chosen: Plan) -> int:
    """Return how many answers a plan has; of one entry the tally knows."""
    if chosen.exact and len(chosen.entries) == 1 and not chosen.sharp():
        (entry,) = chosen.entries
        return chosen.size - overlaps.counted(session, chosen.projects, entry, chosen.kinds)
    ids = chosen.matching().subquery()
    return session.scalar(select(func.count()).select_from(ids)) or 0


def newest(
    session: Session, chosen: Plan, number: int, bound: int | None = None, *, oldest: bool = False
) -> Sequence[int]:
    """Return the newest (or oldest) answers before (or after) an id, in that order.

    A few candidates are asked first, then more of them, and only then all.
    """
    if not (chosen.exact or chosen.sharp()):
        for scan in SCANS if chosen.size > FEW else SCANS[:1]:
            some = chosen.newest(number, bound, scan=scan, oldest=oldest)
            found = session.scalars(some).all()
            if len(found) == number or chosen.size <= scan:
                return found
    return session.scalars(chosen.newest(number, bound, scan=None, oldest=oldest)).all()


def node(session: Session, where: Reach, asked: Asked, parsed: q.Node | None = None) -> q.Node:
    """Return all that a question asks for, looked up; `parsed` replaces its text."""
    wanted = [parser.parse(asked.text) if parsed is None else parsed]
    if asked.dataset:
        wanted.append(q.Is(q.Key("in", True), (q.Text(asked.dataset),)))
    resolved = resolve(session, where, q.all_of(*wanted))
    if asked.project is None:
        return resolved
    project = policy.find(session, where.actor, Project, asked.project)
    return q.all_of(Shown((project.id,)), resolved)
