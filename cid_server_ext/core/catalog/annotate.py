"""Annotate many records at once: one transaction, one entry in the journal, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Project, Record, Tag, Term
from ...errors import BadInput
from .. import journal, policy
from ..actor import Actor
from ..search import index
from ..search.words import fold
from . import tagging, tags, typed
from .spelling import Speller, Told, Word
from .tagging import Change, Held
from .typed import Given

MOST_RECORDS = 5000
MOST_KEYS = 50
MOST_CHANGES = 50_000

Several = Given | Sequence[Given]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the records shall say: `set` replaces, `add` adds, `remove` takes off (None: all).

    A key stands once, or in `add` and with its values in `remove`: these make room for those.
    """

    set: Mapping[str, Several] = field(default_factory=dict)
    add: Mapping[str, Sequence[Given]] = field(default_factory=dict)
    remove: Mapping[str, Sequence[Given] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Key:
    """What came of one key: on how many records it changed, how spellings were taken."""

    key: str
    changed: int
    unchanged: int
    snapped: dict[str, str]
    similar: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it all; `keys` by the key as the caller gave it. `changed` counts records."""

    records: int
    changed: int
    keys: dict[str, Key]
    snapped: dict[str, str]
    similar: dict[str, list[str]]


def annotate(
    session: Session, actor: Actor, uids: Sequence[str], wanted: Wanted, *, dry: bool = False
) -> Outcome:
    """Change tags of up to 5000 records of one project, or raise and change nothing.

    Annotators may. `dry`: say what would happen.
    """
    records = annotated(session, actor, uids)
    ids = [record.id for record in records]
    if not dry:
        tagging.lock(session, ids)  # records before the vocabulary: all wait in one order
    speller = Speller(session, records[0].project_id, policy.projects(actor), saves=not dry)
    steps = _steps(session, speller, records, wanted)
    if len(steps) * len(records) > MOST_CHANGES:
        raise BadInput(f"records: at most {MOST_CHANGES} cells in one call; do it in parts")
    have = tagging.held(session, ids, chain.from_iterable(step.terms for step in steps))
    changes: list[Change] = []
    keys: dict[str, Key] = {}
    touched: set[int] = set()
    for step in steps:
        mine = [c for r in records for c in step.changes(r, have)]
        hit = {change.record_id for change in mine}
        changes, touched = changes + mine, touched | hit
        keys[step.given] = Key(
            step.terms[0].key if step.terms else step.given,
            len(hit),
            len(records) - len(hit),
            step.told.snapped,
            step.told.similar,
        )
    if not dry and changes:
        tagging.apply(session, have, changes, tagging.By("person", actor.name))
        index.refresh(session, touched)
        _tell(session, actor, records, keys)
    told = speller.keys
    return Outcome(len(records), len(touched), keys, told.snapped, told.similar)


def annotated(session: Session, actor: Actor, uids: Sequence[str]) -> list[Record]:
    """Return the records, all of one project, on which the caller is annotator, or raise.

    The first that is not is named: NotFound when hidden, NotAllowed when not.
    """
    asked = list(dict.fromkeys(uids))
    if not 1 <= len(asked) <= MOST_RECORDS:
        raise BadInput(f"records: 1 to {MOST_RECORDS} in one call")
    mine = select(Record).where(policy.reachable(actor, "annotator", Record))
    found: dict[str, Record] = {}
    for batch in _parts(asked):
        found |= {row.uid: row for row in session.scalars(mine.where(Record.uid.in_(batch)))}
    for uid in asked:
        if uid not in found:
            policy.require(session, actor, "annotator", Record, uid)
    projects = {record.project_id for record in found.values()}
    if len(projects) > 1:
        raise BadInput(
            f"records: they belong to {len(projects)} projects; annotate one project at a time"
        )
    return [found[uid] for uid in asked]


@dataclass(frozen=True, slots=True)
class _Step:
    """One key of the request: which changes it makes of one record."""

    given: str
    terms: list[Term]
    told: Told
    wish: Callable[[Record, Term, list[Tag]], Sequence[Word] | None]

    def changes(self, record: Record, have: Held) -> Iterable[Change]:
        for term in self.terms:
            held = have.get((record.id, term.id), [])
            words = self.wish(record, term, held)
            if words is not None and not tagging.same(held, words):
                yield Change(record.id, term, words)


def _steps(
    session: Session, speller: Speller, records: list[Record], wanted: Wanted
) -> list[_Step]:
    every = [*wanted.set, *wanted.add, *wanted.remove]
    if not 1 <= len(every) <= MOST_KEYS:
        raise BadInput(f"set, add, remove: 1 to {MOST_KEYS} keys in all")
    added = {typed.folded(key, 200) for key in wanted.add}
    off = {typed.folded(key, 200): listed for key, listed in wanted.remove.items()}
    swapped = {key for key in added if off.get(key) is not None}
    if len({typed.folded(key, 200) for key in every}) < len(every) - len(swapped):
        raise BadInput("set, add, remove: each key once, or its values in both add and remove")
    steps = [_set(speller, key, given) for key, given in sorted(wanted.set.items())]
    for key, given in sorted(wanted.add.items()):
        steps.append(_add(speller, key, given, off.get(typed.folded(key, 200))))
    for key, listed in sorted(wanted.remove.items()):
        if typed.folded(key, 200) not in added:
            steps.append(_remove(session, records, key, listed))
    return steps


def _set(speller: Speller, key: str, given: Several) -> _Step:
    several, told = tags.as_list(given), Told()
    term = speller.term_or_new(key, several)
    words = tags.fitting(term, speller.words(term, several, told))
    return _Step(key, [term], told, lambda record, term, held: words)


def _add(speller: Speller, key: str, given: Sequence[Given], off: Sequence[Given] | None) -> _Step:
    several, told = tags.as_list(given), Told()
    term = speller.term_or_new(key, several)
    words = tags.fitting(term, speller.words(term, several, told))
    gone = _meant(off)

    def wish(record: Record, term: Term, held: list[Tag]) -> Sequence[Word]:
        held = [tag for tag in held if fold(tag.shown) not in gone]
        more = [w for w in words if not any(tagging.says(tag, w) for tag in held)]
        if more and held and not term.many:
            raise BadInput(
                f"record {record.uid}: {term.key!r} takes one value and has {held[0].shown!r}"
            )
        both = [*(Word(tag.shown, tag.number, tag.value) for tag in held), *more]
        try:
            return tags.fitting(term, both)
        except BadInput as error:
            raise BadInput(f"record {record.uid}: {error}") from None

    return _Step(key, [term], told, wish)


def _remove(
    session: Session, records: list[Record], key: str, given: Sequence[Given] | None
) -> _Step:
    meant = _meant(given)
    chosen = select(Term).where(Term.folded == typed.folded(key.replace(":", " "), 200))
    used: dict[int, Term] = {}
    for batch in tagging.batches([record.id for record in records]):
        found = select(Tag.term_id).where(Tag.record_id.in_(batch))
        used |= {term.id: term for term in session.scalars(chosen.where(Term.id.in_(found)))}

    def wish(record: Record, term: Term, held: list[Tag]) -> Sequence[Word] | None:
        if given is None:
            return ()
        kept = [tag for tag in held if fold(tag.shown) not in meant]
        return [Word(tag.shown, tag.number, tag.value) for tag in kept]

    return _Step(key, list(used.values()), Told(), wish)


def _meant(given: Sequence[Given] | None) -> set[str]:
    return {fold(typed.shown(one)) for one in given or ()}


def _tell(session: Session, actor: Actor, records: list[Record], keys: dict[str, Key]) -> None:
    project = session.get_one(Project, records[0].project_id)
    detail: dict[str, Any] = {
        "records": len(records),
        "keys": {one.key: one.changed for one in keys.values()},
    }
    subject = f"project:{project.name}"
    journal.record(session, actor.name, "annotate", subject, detail, project_id=project.id)


def _parts(uids: list[str]) -> Iterable[list[str]]:
    return (uids[at : at + tagging.BATCH] for at in range(0, len(uids), tagging.BATCH))
