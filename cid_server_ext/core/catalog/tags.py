"""Tags of one record: put and taken off by people, written by imports and runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Project, Record, Tag, Term
from ...errors import BadInput, NotFound
from .. import journal, policy
from ..actor import Actor
from ..search import index
from . import tagging, typed
from .spelling import Speller, Told, Word
from .typed import Given

MOST = 100  # values of one term on one record
LONGEST = 10_000  # characters of them: they fit into one cell of a spreadsheet


# of each key one value, or several
Said = Mapping[str, Given | Sequence[Given]] | Iterable[tuple[str, Given | Sequence[Given]]]


@dataclass(frozen=True, slots=True)
class Tagged:
    """A record whose tags were changed, and how the caller's spellings were taken."""

    record: Record
    keys: Told
    values: Told


def put(
    session: Session, actor: Actor, uid: str, key: str, given: Given | Sequence[Given]
) -> Tagged:
    """Make this all that the record's tag says, one value or several. Annotators may."""
    record = policy.require(session, actor, "annotator", Record, uid)
    tagging.lock(session, [record.id])  # records before the vocabulary: all wait in one order
    speller = Speller(session, record.project_id, policy.projects(actor))
    several = as_list(given)
    term = speller.term_or_new(key, several)
    told = Told()
    words = fitting(term, speller.words(term, several, told))
    have = tagging.held(session, [record.id], [term])
    change = tagging.Change(record.id, term, words)
    if tagging.apply(session, have, [change], tagging.By("person", actor.name)):
        shown = [word.text for word in words]
        _done(session, actor, record, "tag", {"key": term.key, "value": "; ".join(shown)[:400]})
    return Tagged(record, speller.keys, told)


def remove(session: Session, actor: Actor, uid: str, key: str) -> Tagged:
    """Take all values of one tag off a record. Annotators may."""
    record = policy.require(session, actor, "annotator", Record, uid)
    meant = Term.folded == typed.folded(key, 200)
    tagging.lock(session, [record.id])
    terms = session.scalars(select(Term).join(Tag).where(Tag.record_id == record.id, meant))
    found = list(terms.unique())
    if not found:
        raise NotFound(f"{record.name!r} has no tag {key!r}")
    have = tagging.held(session, [record.id], found)
    gone = "; ".join(tag.shown for tags in have.values() for tag in tags)
    changes = [tagging.Change(record.id, term, ()) for term in found]
    tagging.apply(session, have, changes, tagging.By("person", actor.name))
    _done(session, actor, record, "untag", {"key": found[0].key, "value": gone[:400]})
    return Tagged(record, Told(), Told())


def write(
    session: Session,
    record: Record,
    told: Said,
    *,
    kind: str,
    by: tagging.By,
) -> None:
    """Write what a file, an instrument or a run says of a record; the caller refreshes the index.

    Spellings are known as far as the record's project has them. What the vocabulary does not allow
    is kept as text; what cannot be text at all is left out.
    """
    write_all(session, [(record, told)], kind=kind, by=by)


def write_all(
    session: Session,
    several: Sequence[tuple[Record, Said]],
    *,
    kind: str,
    by: tagging.By,
) -> None:
    """Do what `write` does for several records of one project, in as many statements as for one."""
    if not several:
        return
    project_id = several[0][0].project_id
    mine = select(Project.id).where(Project.id == project_id)
    speller = Speller(session, project_id, mine, strict=False)
    said: dict[Term, dict[str, list[Given]]] = {}  # many records say the same
    where: dict[tuple[int, Term], str] = {}
    for record, told in several:
        for key, value in dict(told).items():
            with suppress(BadInput):
                listed = as_list(value)
                term = speller.term_or_new(key, listed, kind)
                where[record.id, term] = repr(value)
                said.setdefault(term, {})[repr(value)] = listed
    spelled = {term: speller.as_told(term, lists) for term, lists in said.items()}
    changes = [
        tagging.Change(record_id, term, spelled[term][name])
        for (record_id, term), name in where.items()
        if name in spelled[term]
    ]
    have = tagging.held(session, [record.id for record, _ in several], said)
    tagging.apply(session, have, changes, by)


def as_list(given: Given | Sequence[Given]) -> list[Given]:
    """Return one value or several as a list, or raise BadInput."""
    several = [given] if isinstance(given, str | int | float | dict) else list(given)
    if not 1 <= len(several) <= MOST:
        raise BadInput(f"value: 1 to {MOST} values; DELETE takes a tag off")
    return several


def fitting(term: Term, words: Iterable[Word]) -> list[Word]:
    """Return the words without repetition, or raise BadInput when the term takes fewer."""
    once = list({(word.text, word.number): word for word in words}.values())
    if len(once) > 1 and not term.many:
        raise BadInput(f"value of {term.key!r}: it takes one value, here are {len(once)}")
    if len(once) > MOST or sum(len(word.text) for word in once) > LONGEST:
        raise BadInput(f"value of {term.key!r}: at most {MOST} values, {LONGEST} characters in all")
    return once


def _done(
    session: Session, actor: Actor, record: Record, action: str, detail: dict[str, str]
) -> None:
    index.refresh(session, [record.id])
    subject = f"{record.type}:{record.uid}"
    journal.record(session, actor.name, action, subject, detail, project_id=record.project_id)
