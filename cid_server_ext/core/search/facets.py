"""Facets: the values of a key among what a query finds, each with its number of records.

Inside a facet values are alternatives, so what the query asks of a facet's own key is left out when
it is counted; between facets all must be true. Without any other condition the tallies know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from ...db.session import in_time
from ...db.tables import Tag, Tally, Term, Value
from ...errors import BadInput, TooCostly
from ..actor import Actor
from ..people import staff_reads
from . import built_in, find, overlaps, parser
from . import language as q
from .plan import Plan, plan
from .resolve import Key, keys, reach

MOST_KEYS = 12
MOST_VALUES = 100
BINS = 20

_tag, _tally, _value, _term = (model.__table__ for model in (Tag, Tally, Value, Term))


@dataclass(frozen=True, slots=True)
class Count:
    """A value and how many records have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Spread:
    """The numbers of one term: `bins` counts them from lowest to highest in equal steps."""

    unit: str
    type: str
    count: int
    lowest: float
    highest: float
    bins: list[int]


@dataclass(frozen=True, slots=True)
class Facet:
    """What a key has, the most frequent first."""

    key: str
    values: list[Count] = field(default_factory=list)
    numbers: list[Spread] = field(default_factory=list)


def facets(session: Session, actor: Actor, asked: find.Asked, wanted: Sequence[str]) -> list[Facet]:
    """Return one facet for each key, in the order asked; a key that is unknown has no values."""
    if not 1 <= len(wanted) <= MOST_KEYS or len(set(wanted)) != len(wanted):
        raise BadInput(f"keys: 1 to {MOST_KEYS} keys, each once")
    where = reach(session, actor)
    if asked.project is None:
        staff_reads.everywhere(session)
    parsed = parser.parse(asked.text)
    named = [_key(name) for name in wanted]
    known = keys(session, (key.name for key in named if not key.core))
    plans: dict[q.Node, Plan] = {}
    made = []
    for name, key in zip(wanted, named, strict=True):
        rest = without(parsed, key)
        if not in_time(session):
            raise TooCostly("keys: fewer of them at once, or more words in the query")
        if rest not in plans:
            resolved = find.node(session, where, asked, rest)
            plans[rest] = plan(session, where, resolved, asked.kinds)
        chosen = plans[rest]
        if key.core:
            counted = session.execute(built_in.counts(key.name, chosen, MOST_VALUES))
            made.append(Facet(name, [Count(str(value), n) for value, n in counted]))
        else:
            made.append(_vocabulary(session, chosen, name, known.get(key.name, [])))
    return made


def top(session: Session, actor: Actor, number: int) -> list[tuple[str, str, int]]:
    """Return the most frequent values in the caller's projects as (key, value, records)."""
    where = reach(session, actor)
    staff_reads.everywhere(session)
    counted = overlaps.tallied(where.projects, q.KINDS, ()).subquery()
    first = select(counted).order_by(counted.c.n.desc(), counted.c.entry).limit(number).subquery()
    chosen = (
        select(_term.c.key, _value.c.text, first.c.n)
        .select_from(first.join(_value, _value.c.id == first.c.entry).join(_term))
        .order_by(first.c.n.desc(), first.c.entry)
    )
    return [(key, value, n) for key, value, n in session.execute(chosen)]


def without(node: q.Node, key: q.Key) -> q.Node:
    """Return the query without what it asks of a facet's own key."""
    own = built_in.OWN.get(key.name, frozenset({key.name})) if key.core else frozenset({key.name})

    def is_own(part: q.Node) -> bool:
        leaves = [] if isinstance(part, q.Not) else q.leaves(part)
        return bool(leaves) and all(
            isinstance(leaf, q.Is | q.Between)
            and leaf.key.core == key.core
            and leaf.key.name in own
            for leaf in leaves
        )

    return q.all_of(*(part for part in q.top(node) if not is_own(part)))


def _key(name: str) -> q.Key:
    if name in built_in.COUNTED:
        return q.Key(name, True)
    folded = q.tag_key(name.strip('"'))
    if not folded or len(name) > 200:
        raise BadInput(f"keys: {name[:60]!r} is no key")
    return q.Key(folded)


def _vocabulary(session: Session, chosen: Plan, name: str, terms: Sequence[Key]) -> Facet:
    valued = [term.id for term in terms if term.type not in ("number", "date")]
    numbered = [term for term in terms if term.type in ("number", "date")]
    values = _values(session, chosen, valued) if valued else []
    return Facet(name, values, [s for term in numbered if (s := _spread(session, chosen, term))])


def _values(session: Session, chosen: Plan, terms: list[int]) -> list[Count]:
    if chosen.whole:
        counted = overlaps.tallied(chosen.projects, chosen.kinds, terms).subquery()
    else:
        ids = chosen.matching().subquery()
        tagged = ids.join(_tag, and_(_tag.c.record_id == ids.c[0], _tag.c.term_id.in_(terms)))
        counted = (
            select(_tag.c.value_id.label("entry"), func.count().label("n"))
            .select_from(tagged)
            .where(_tag.c.value_id.is_not(None))
            .group_by(_tag.c.value_id)
            .subquery()
        )
    # spellings that fold to the same are one value, shown as the one that came first
    number = func.sum(counted.c.n)
    alike = (
        select(func.min(_value.c.id).label("first"), number.label("n"))
        .select_from(counted.join(_value, _value.c.id == counted.c.entry))
        .group_by(_value.c.folded)
        .order_by(number.desc(), func.min(_value.c.id))
        .limit(MOST_VALUES)
        .subquery()
    )
    shown = select(_value.c.text, alike.c.n).join(alike, alike.c.first == _value.c.id)
    rows = session.execute(shown.order_by(alike.c.n.desc(), alike.c.first))
    return [Count(text, int(n)) for text, n in rows]


def _spread(session: Session, chosen: Plan, term: Key) -> Spread | None:
    ids = chosen.matching().subquery()
    number = _tag.c.number
    tagged = ids.join(_tag, and_(_tag.c.record_id == ids.c[0], _tag.c.term_id == term.id))
    ends = select(func.count(number), func.min(number), func.max(number)).select_from(tagged)
    count, low, high = session.execute(ends).one()
    if not count:
        return None
    edges = [low + (high - low) * step / BINS for step in range(1, BINS)]
    # each record is put below the first edge that it does not pass
    place = case(*((number < edge, step) for step, edge in enumerate(edges)), else_=BINS - 1)
    counted = select(place, func.count()).select_from(tagged).where(number.is_not(None))
    bins = [0] * BINS
    for step, n in session.execute(counted.group_by(place)):
        bins[step] = n
    return Spread(term.unit, term.type, int(count), low, high, bins)
