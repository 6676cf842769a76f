"""Completion while somebody types a query: keys, and the values of a key.

Only what occurs in projects that the caller reaches is offered, or is declared in a vocabulary
that he inherits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, SQLColumnExpression, func, or_, select
from sqlalchemy.orm import Session

from ...db.tables import Dataset, Instrument, Project, ProjectMember, Tally, Team, Term, Value
from ...errors import BadInput
from .. import policy
from ..actor import Actor
from ..catalog import completeness
from ..people import staff_reads
from . import language as q
from . import overlaps, parser
from .resolve import Key, Reach, keys, reach
from .words import fold

MOST = 20

# what is being typed: a key and a sign before it, the last of several values
_LAST = re.compile(r'(?:("(?:[^"\\]|\\.)*"|[^\s"():=<>]+)([:=]))?((?:[^\s"(),]*,)*)("?)([^"(),]*)$')


@dataclass(frozen=True, slots=True)
class Completion:
    """`text` replaces what was typed from `start` on; `count` records have it, where known."""

    text: str
    label: str
    start: int
    count: int | None = None


def complete(session: Session, actor: Actor, text: str) -> list[Completion]:
    """Return what the last word of a query may become, the most frequent first."""
    if len(text) > parser.LONGEST:
        raise BadInput(f"q: a query has at most {parser.LONGEST} characters")
    key, typed, start = _last(text)
    where = reach(session, actor)
    staff_reads.everywhere(session)
    if actor.run_id is not None or len(typed) > 100:
        return []
    if key is None:
        found = _keys(session, where, typed)
    elif key in q.CORE and key != "name":
        found = _core(session, where, key, typed)
    else:
        found = _values(session, where, q.tag_key(key.strip('"')), typed)
    return [Completion(shown, label, start, n) for shown, label, n in found][:MOST]


Offer = tuple[str, str, int | None]


def _last(text: str) -> tuple[str | None, str, int]:
    """Return the key, what is typed of its value (or of a key), and where that begins."""
    for at in range(len(text) + 1):
        if at and not (text[at - 1].isspace() or text[at - 1] in "(-"):
            continue
        found = _LAST.match(text, at)
        if found and (found[4] or not re.search(r"\s", found[5])):
            key = found[1] if found[2] else None
            return key, found[5], found.start(4)
    return None, "", len(text)


def _keys(session: Session, where: Reach, typed: str) -> Iterator[Offer]:
    folded = q.tag_key(typed)
    for name in (*q.CORE, q.HAS):
        if name.startswith(typed.casefold()):
            yield f"{name}:", q.CORE.get(name, ("", "has any value of a key"))[1], None
    used = select(Tally.n).join(Value, Value.id == Tally.entry)
    used = used.where(Value.term_id == Term.id, Tally.n > 0, where.holds(Tally.project_id))
    plain = func.replace(Term.folded, "_", " ")
    chosen = select(func.min(Term.key), plain).where(
        _begins(plain, folded),
        or_(_inherited(where), used.exists()),
        Term.retired.is_(False),
    )
    for key, name in session.execute(chosen.group_by(plain).order_by(plain).limit(MOST)):
        yield f"{q.Key(name)}:", key, None


def _values(session: Session, where: Reach, key: str, typed: str) -> Iterator[Offer]:
    terms = [k for k in keys(session, [key]).get(key, []) if k.type not in ("number", "date")]
    declared = [term.id for term in terms if _inherits(where, term)]
    ids = [term.id for term in terms]
    counted = overlaps.tallied(where.projects, q.KINDS, ids).subquery()
    number = func.coalesce(func.sum(counted.c.n), 0)
    folded = fold(typed)
    chosen = (
        select(Value.text, number)
        .outerjoin(counted, counted.c.entry == Value.id)
        .where(
            Value.term_id.in_(ids),
            or_(
                _begins(Value.folded, folded), Value.folded.contains(f" {folded}", autoescape=True)
            ),
            or_(
                counted.c.n.is_not(None),
                Value.declared & Value.term_id.in_(declared) & ~Value.retired,
            ),
        )
        .group_by(Value.text)
        .order_by(number.desc(), func.min(Value.id))
        .limit(MOST)
    )
    for text, n in session.execute(chosen):
        yield q.quoted(text), text, int(n)


def _core(session: Session, where: Reach, key: str, typed: str) -> Iterator[Offer]:
    match key:
        case "unknown":
            begun = fold(typed)
            names = [key for key in completeness.FACILITY if fold(key).startswith(begun)]
        case "kind":
            names = [kind for kind in q.KINDS if kind.startswith(typed)]
        case "project":
            chosen = select(Project.name).where(where.holds(Project.id))
            chosen = chosen.where(_begins(Project.name, typed))
            names = list(session.scalars(chosen.order_by(Project.name).limit(MOST)))
        case "team":
            chosen = select(Team.name).join(Project, Project.team_id == Team.id).distinct()
            chosen = chosen.where(where.holds(Project.id), _begins(Team.name, typed))
            names = list(session.scalars(chosen.order_by(Team.name).limit(MOST)))
        case "by":
            members = select(ProjectMember.person).distinct().where(policy.lasts(ProjectMember))
            members = members.where(where.holds(ProjectMember.project_id))
            chosen = members.where(_begins(ProjectMember.person, typed))
            names = list(session.scalars(chosen.order_by(ProjectMember.person).limit(MOST)))
        case "in":
            chosen = select(Dataset.path).where(where.holds(Dataset.project_id)).distinct()
            chosen = chosen.where(Dataset.trash_id.is_(None), Dataset.path != "")
            chosen = chosen.where(_begins(Dataset.path, typed))
            names = list(session.scalars(chosen.order_by(Dataset.path).limit(MOST)))
        case "instrument":
            chosen = select(Instrument.name).where(_begins(Instrument.folded, fold(typed)))
            names = list(session.scalars(chosen.order_by(Instrument.folded).limit(MOST)))
        case _:
            names = []
    for name in names:
        (shown,) = [str(q.Is(q.Key(key, True), (q.Text(name),))).removeprefix(f"{key}:")]
        yield shown, name, None


def _begins(column: SQLColumnExpression[str], text: str) -> ColumnElement[bool]:
    return func.substr(column, 1, len(text)) == text


def _inherited(where: Reach) -> ColumnElement[bool]:
    return or_(Term.project_id.is_(None), where.holds(Term.project_id))


def _inherits(where: Reach, term: Key) -> bool:
    return term.project_id is None or where.projects is None or term.project_id in where.projects
