"""What the names in a query stand for in the catalog: ids of values, terms, datasets, projects.

Only what the caller reaches is looked up, so a name that is hidden finds as much as one that does
not exist: nothing. A live dataset becomes its query inside its project.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from ...db.tables import Dataset, Project, Run, Tally, Team, Term, Value
from ...errors import BadInput
from .. import names, policy
from ..actor import Actor
from . import language as q
from . import literals, parser, spelled

MOST_VALUES = 2000  # spellings of values that one term of a query may fit
DEEPEST = 4  # live datasets inside each other
MOST_LIVE = 64  # live datasets of one query, those inside others too


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose search it is: the projects he reaches, None for all. A run reaches its inputs."""

    actor: Actor
    projects: frozenset[int] | None

    def holds(self, column: SQLColumnExpression[Any]) -> ColumnElement[bool]:
        """Return the WHERE clause that keeps these projects."""
        return true() if self.projects is None else column.in_(sorted(self.projects))


@dataclass(frozen=True, slots=True)
class Interval:
    """Numbers between two ends, which belong to it or not; None is open."""

    low: float | None
    high: float | None
    low_in: bool
    high_in: bool


@dataclass(frozen=True, slots=True)
class Tagged(q.Leaf):
    """Has one of these values, a number of one of these terms, or (`any`) a tag of these terms."""

    terms: tuple[int, ...]
    values: tuple[int, ...] = ()
    numbers: tuple[tuple[int, Interval], ...] = ()
    any: bool = False


@dataclass(frozen=True, slots=True)
class Inside(q.Leaf):
    """Lies in, or is linked into, one of these datasets."""

    datasets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shown(q.Leaf):
    """At home in, or linked into, one of these projects."""

    projects: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Said(q.Words):
    """These words; those that only a home is told of, where it is one of `homes` (None: any)."""

    homes: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """One term that a key of a query names."""

    id: int
    key: str
    type: str
    unit: str
    project_id: int | None


Known = dict[str, list[Key]]


def reach(session: Session, actor: Actor) -> Reach:
    """Return what `actor` may search in."""
    if actor.run_id is not None:
        return Reach(actor, frozenset())
    if actor.staff:
        return Reach(actor, None)
    return Reach(actor, frozenset(session.scalars(policy.projects(actor))))


def resolve(session: Session, where: Reach, node: q.Node) -> q.Node:
    """Return the tree with every name looked up."""
    return _Resolver(session, where, dt.datetime.now(dt.UTC)).node(node)


def keys(session: Session, wanted: Iterable[str]) -> Known:
    """Return the terms that each folded key names, whoever's they are."""
    asked = sorted(set(wanted))
    if not asked:
        return {}
    plain = func.replace(Term.folded, "_", " ")
    chosen = select(plain, Term.id, Term.key, Term.type, Term.unit, Term.project_id)
    known: Known = {}
    for name, *columns in session.execute(chosen.where(plain.in_(asked)).order_by(Term.id)):
        known.setdefault(name, []).append(Key(*columns))
    return known


@dataclass
class _Resolver:
    session: Session
    where: Reach
    now: dt.datetime
    depth: int = 0
    opened: list[int] = field(default_factory=list)  # live datasets, by whichever resolver
    known: Known = field(default_factory=dict)
    values: dict[q.Is, tuple[int, ...]] = field(default_factory=dict)

    def node(self, node: q.Node) -> q.Node:
        asked = [leaf for leaf in q.leaves(node) if isinstance(leaf, q.Is | q.Between | q.Has)]
        tags = [leaf for leaf in asked if not leaf.key.core]
        self.known = keys(self.session, (leaf.key.name for leaf in tags))
        self.values = self._values([leaf for leaf in tags if isinstance(leaf, q.Is)])
        return self._walk(node)

    def _walk(self, node: q.Node) -> q.Node:
        match node:
            case q.Not():
                return q.no(self._walk(node.node))
            case q.All():
                return q.all_of(*(self._walk(inner) for inner in node.nodes))
            case q.Any():
                return q.any_of(*(self._walk(inner) for inner in node.nodes))
            case q.Words():
                return Said(node.text, self.where.projects)
            case q.Has():
                return Tagged(tuple(key.id for key in self._keys(node.key)), any=True)
            case q.Between() if not node.key.core:
                return self._between(node)
            case q.Is() if not node.key.core:
                return self._is(node)
            case q.Is() if node.key.name in ("project", "team"):
                return self._shown(node)
            case q.Is() if node.key.name == "run":
                return self._made_by(node)
            case q.Is() if node.key.name == "in":
                return self._inside(node)
        return node

    # --- tags -----------------------------------------------------------------------------------

    def _keys(self, key: q.Key) -> list[Key]:
        return self.known.get(key.name, [])

    def _is(self, node: q.Is) -> Tagged:
        numbers = [
            (key.id, interval)
            for key in self._keys(node.key)
            for value in node.values
            if (interval := _equal(key, value.text, self.now)) is not None
        ]
        terms = tuple(key.id for key in self._keys(node.key))
        return Tagged(terms, self.values.get(node, ()), tuple(numbers))

    def _between(self, node: q.Between) -> Tagged:
        mine = self._keys(node.key)
        found = [(key.id, interval(key, node, self.now)) for key in mine]
        shared = [key for key in mine if key.project_id is None or self._reaches(key.project_id)]
        fits = {term for term, between in found if between is not None}
        if shared and not any(key.id in fits for key in shared):
            kinds = sorted({f"in {k.unit}" if k.unit else f"a {k.type}" for k in shared})
            raise BadInput(f"q: {node}: {shared[0].key!r} is {' or '.join(kinds)}")
        numbers = tuple((term, between) for term, between in found if between is not None)
        return Tagged(tuple(fits), numbers=numbers)

    def _reaches(self, project: int) -> bool:
        return self.where.projects is None or project in self.where.projects

    def _values(self, leaves: list[q.Is]) -> dict[q.Is, tuple[int, ...]]:
        """Look up the spellings that each leaf's values fit, all in one question."""
        asked: list[ColumnElement[bool]] = []
        for leaf in leaves:
            terms = [key.id for key in self._keys(leaf.key) if key.type not in ("number", "date")]
            if terms:
                near = or_(*(spelled.near(value) for value in leaf.values))
                asked.append(and_(Value.term_id.in_(terms), near))
        if not asked:
            return {}
        chosen = select(Value.id, Value.term_id, Value.folded).where(or_(*asked))
        if self.where.actor.run_id is None and self.where.projects is not None:
            used = select(Tally.n).where(Tally.entry == Value.id, Tally.n > 0)
            chosen = chosen.where(used.where(self.where.holds(Tally.project_id)).exists())
        rows = list(self.session.execute(chosen.order_by(Value.id)))
        found = {}
        for leaf in leaves:
            own = {key.id for key in self._keys(leaf.key)}
            fitting = [
                value_id
                for value_id, term, folded in rows
                if term in own and any(spelled.fits(value, folded) for value in leaf.values)
            ]
            if len(fitting) > MOST_VALUES:
                raise BadInput(f"q: {leaf} fits more than {MOST_VALUES} values: write more of it")
            found[leaf] = tuple(fitting)
        return found

    # --- places ---------------------------------------------------------------------------------

    def _made_by(self, node: q.Is) -> q.Is:
        """Keep the runs that the caller reaches: a link into a project of his shows none."""
        asked = Run.uid.in_([value.text.lower() for value in node.values])
        chosen = select(Run.uid).where(asked, self.where.holds(Run.project_id))
        return replace(node, values=tuple(map(q.Text, self.session.scalars(chosen))))

    def _shown(self, node: q.Is) -> Shown:
        chosen = select(Project.id).where(self.where.holds(Project.id))
        asked = [value.text for value in node.values]
        if node.key.name == "team":
            chosen = chosen.join(Team).where(Team.name.in_(asked))
        else:
            chosen = chosen.where(Project.name.in_(asked))
        return Shown(tuple(self.session.scalars(chosen.order_by(Project.id))))

    def _inside(self, node: q.Is) -> q.Node:
        live = Dataset.trash_id.is_(None)
        chosen = select(Dataset.id, Dataset.project_id, Dataset.query)
        named = or_(*(_called(text) for text in {value.text for value in node.values}))
        chosen = chosen.join(Dataset.project).where(live, self.where.holds(Project.id), named)
        rows = list(self.session.execute(chosen.order_by(Dataset.id)))
        found = [self._live(row.id, row.project_id, row.query) for row in rows if row.query]
        ids = {row.id for row in rows if not row.query}
        if ids and not node.values[0].whole:
            ids |= set(self.session.scalars(_below(ids).where(live)))
        return q.any_of(Inside(tuple(sorted(ids))), *found)

    def _live(self, dataset: int, project: int, query: str) -> q.Node:
        if self.depth >= DEEPEST:
            raise BadInput(f"q: in: more than {DEEPEST} live datasets inside each other")
        self.opened.append(dataset)
        if len(self.opened) > MOST_LIVE:
            raise BadInput(f"q: in: more than {MOST_LIVE} live datasets: name one of one project")
        inside = replace(self.where, projects=frozenset({project}))
        inner = _Resolver(self.session, inside, self.now, self.depth + 1, self.opened)
        return q.all_of(Shown((project,)), inner.node(parser.parse(query)))


def interval(key: Key, node: q.Between, now: dt.datetime) -> Interval | None:
    """Return the numbers of a term that are meant; None when it cannot be compared with that."""
    if key.type == "date":
        spans = [literals.period(end, now) if end else None for end in (node.low, node.high)]
        if any(end and not span for end, span in zip((node.low, node.high), spans, strict=True)):
            return None
        low, high = spans
        start = low and low[0 if node.low_in else 1].timestamp()
        end = high and high[1 if node.high_in else 0].timestamp()
        return Interval(start, end, True, False)  # a period ends where the next one begins
    if key.type != "number":
        return None
    numbers = [literals.amount(end, key.unit) if end else None for end in (node.low, node.high)]
    if any(
        end and number is None for end, number in zip((node.low, node.high), numbers, strict=True)
    ):
        return None
    return Interval(numbers[0], numbers[1], node.low_in, node.high_in)


def _equal(key: Key, text: str, now: dt.datetime) -> Interval | None:
    """Return the numbers of a number or date term that a value of `key:value` means."""
    if key.type not in ("number", "date"):
        return None
    try:
        literal = literals.read(text)
    except BadInput:
        return None
    if literal is None:
        return None
    since = key.type == "date" and literals.is_age(literal)
    node = q.Between(q.Key(key.key), literal, None if since else literal)
    return interval(key, node, now)


def _called(text: str) -> ColumnElement[bool]:
    """Keep datasets of this path, in whichever project or in the one that it begins with."""
    try:
        path = names.dataset_path(text)
    except BadInput as error:
        raise BadInput(f"q: in: {error}") from None
    first, _, rest = path.partition("/")
    return or_(Dataset.path == path, and_(Project.name == first, Dataset.path == rest))


def _below(ids: set[int]) -> Select[int]:
    """Select the datasets that lie below these."""
    above = aliased(Dataset)
    begins = func.substr(Dataset.path, 1, func.length(above.path) + 1) == above.path + "/"
    inside = and_(Dataset.project_id == above.project_id, or_(above.path == "", begins))
    return select(Dataset.id).join(above, inside).where(above.id.in_(ids))
