"""Make the tags of records what they shall be: few statements for many records, nobody asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from ...db.tables import Image, Record, Tag, Term
from . import vocabulary
from .spelling import Word

BATCH = 500
Held = dict[tuple[int, int], list[Tag]]  # by record and term


@dataclass(frozen=True, slots=True)
class Change:
    """What one term shall say of one record; no words: nothing."""

    record_id: int
    term: Term
    words: Sequence[Word]


@dataclass(frozen=True, slots=True)
class By:
    """Where a value comes from (file, instrument, person, mask, run) and who brought it."""

    source: str
    person: str


def lock(session: Session, record_ids: Iterable[int]) -> None:
    """Let nobody else change these records' tags until the commit."""
    for batch in batches(sorted(set(record_ids))):
        chosen = select(Record.id).where(Record.id.in_(batch)).order_by(Record.id)
        session.execute(chosen.with_for_update()).all()


def held(session: Session, record_ids: Iterable[int], terms: Iterable[Term]) -> Held:
    """Return the tags of these terms that the records have now."""
    term_ids = [term.id for term in terms if term.id is not None]
    found: Held = {}
    for batch in batches(sorted(set(record_ids))):
        of_these = Tag.record_id.in_(batch) & Tag.term_id.in_(term_ids)
        chosen = select(Tag).where(of_these).order_by(Tag.id).options(joinedload(Tag.value))
        for tag in session.scalars(chosen.execution_options(populate_existing=True)):
            found.setdefault((tag.record_id, tag.term_id), []).append(tag)
    return found


def says(tag: Tag, word: Word) -> bool:
    """Say whether the tag is this word already."""
    if word.value is not None:
        return word.value.id is not None and tag.value_id == word.value.id
    return tag.value_id is None and tag.number == word.number and tag.text == word.text


def same(tags: Sequence[Tag], words: Sequence[Word]) -> bool:
    """Say whether the tags are these words, in any order."""
    return len(tags) == len(words) and all(any(says(t, w) for t in tags) for w in words)


def apply(session: Session, have: Held, changes: Iterable[Change], by: By) -> set[int]:
    """Change the tags where they differ and return those records; the caller refreshes the index.

    A tag that is there keeps its row and its source; one that takes another value keeps its row.
    """
    changed: set[int] = set()
    acquired: dict[int, Word | None] = {}
    for change in changes:
        tags = have.get((change.record_id, change.term.id), [])
        if same(tags, change.words):
            continue
        changed.add(change.record_id)
        _settle(session, change, tags, by)
        if vocabulary.is_acquisition(change.term):
            acquired[change.record_id] = change.words[0] if change.words else None
    session.flush()
    _keep_step(session, acquired)
    return changed


def batches(ids: Iterable[int], size: int = BATCH) -> Iterable[list[int]]:
    """Yield a few ids at a time."""
    rest = iter(ids)
    while batch := list(islice(rest, size)):
        yield batch


def _settle(session: Session, change: Change, tags: list[Tag], by: By) -> None:
    spare = [tag for tag in tags if not any(says(tag, word) for word in change.words)]
    for word in change.words:
        if any(says(tag, word) for tag in tags if tag not in spare):
            continue
        tag = spare.pop(0) if spare else None
        if tag is None:
            tag = Tag(record_id=change.record_id, term_id=change.term.id)
            session.add(tag)
        tag.value_id = None if word.value is None else word.value.id
        tag.number = word.number
        tag.text = None if word.value is not None else word.text
        tag.source, tag.set_by = by.source, by.person
    for tag in spare:
        session.delete(tag)


def _keep_step(session: Session, acquired: Mapping[int, Word | None]) -> None:
    """Let images say when they were acquired, as their tags do."""
    for batch in batches(sorted(acquired)):
        for image in session.scalars(select(Image).where(Image.id.in_(batch))):
            word = acquired[image.id]
            number = None if word is None else word.number
            image.acquired_at = None if number is None else moment(number)
    session.flush()


def moment(seconds: float) -> dt.datetime:
    """Return a date tag's number as a time."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
