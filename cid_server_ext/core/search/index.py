"""Postings, tallies and documents: made from records, links, tags and notes when these change.

Whoever changes one of them calls `refresh` for the records concerned, in the same transaction.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, bindparam, delete, select, text
from sqlalchemy.orm import Session, selectinload

from ...db.tables import (
    EVERYTHING,
    Dataset,
    Document,
    Link,
    MaskVersion,
    Note,
    Record,
    Tag,
    Term,
)
from ..catalog import completeness
from . import words

Posting = tuple[int, int, int]  # entry, project, kind

KIND = {"image": 1, "labels": 2}
FILE = 3
BATCH = 500


def refresh(session: Session, record_ids: Iterable[int]) -> None:
    """Make everything that searches read about these records true again."""
    rest = iter(sorted(set(record_ids)))
    while batch := list(itertools.islice(rest, BATCH)):
        _refresh(session, batch)


def forget(session: Session, record_ids: Iterable[int]) -> None:
    """Take all that searches read of records which are about to be no more."""
    rest = iter(sorted(set(record_ids)))
    while batch := list(itertools.islice(rest, BATCH)):
        mine = Document.record_id.in_(batch)
        rows = session.execute(select(Document.record_id, Document.postings).where(mine)).all()
        _write(
            session, [((e, p, k), row.record_id) for row in rows for e, p, k in row.postings], []
        )
        session.execute(delete(Document).where(mine))


def remake(session: Session) -> None:
    """Make all postings, tallies and documents again, from nothing, in this transaction."""
    for derived in ("posting", "tally", "document"):
        session.execute(text(f"DELETE FROM {derived}"))
    last = 0
    while batch := list(session.scalars(_next(last))):
        _refresh(session, batch)
        session.expunge_all()
        last = batch[-1]


def _next(last: int) -> Select[int]:
    return select(Record.id).where(Record.id > last).order_by(Record.id).limit(BATCH)


def _refresh(session: Session, ids: list[int]) -> None:
    session.flush()
    chosen = select(Record).where(Record.id.in_(ids)).order_by(Record.id)
    # the lock: whoever refreshes the same record waits, and then reads what we wrote
    held = chosen.with_for_update(of=Record, key_share=True)
    locked = held.execution_options(populate_existing=True)
    records = list(session.scalars(locked.options(*_WHOLE)))
    notes, images = _notes(session, ids), _images(session, ids)
    scores = _scores(session, records, images)
    old = {
        row.record_id: {(e, p, k) for e, p, k in row.postings}
        for row in session.execute(
            select(Document.record_id, Document.postings).where(Document.record_id.in_(ids))
        )
    }
    gone: list[tuple[Posting, int]] = []
    come: list[tuple[Posting, int]] = []
    documents: list[dict[str, Any]] = []
    for record in records:
        wanted = set(_postings(record))
        before = old.get(record.id, set())
        gone += [(posting, record.id) for posting in before - wanted]
        come += [(posting, record.id) for posting in wanted - before]
        documents.append(
            {
                "record_id": record.id,
                "name": words.fold(record.name),
                "words": _words(record, notes.get(record.id, [])) if wanted else "",
                "channels": channel_words(images[record.id].channels),
                "completeness": scores[record.id].value,
                "missing": completeness.written(scores[record.id].missing),
                "postings": sorted(list(posting) for posting in wanted),
            }
        )
    _write(session, gone, come)
    _write_documents(session, documents, set(old))


def _postings(record: Record) -> Iterable[Posting]:
    """Yield where the record can be found; nowhere when trashed, purged or an original."""
    if record.trash_id is not None or record.purged_at is not None or record.kind == "original":
        return
    kind = KIND.get(record.kind, FILE)
    places = {(record.project_id, record.dataset_id)}
    shown = (link for link in record.links if link.dataset.trash_id is None)
    places |= {(link.project_id, link.dataset_id) for link in shown}
    values = {tag.value_id for tag in record.tags if tag.value_id is not None}
    for project_id, dataset_id in places:
        yield (-dataset_id, project_id, kind)
    for project_id in {project_id for project_id, _ in places}:
        yield (EVERYTHING, project_id, kind)
        for value in values:
            yield (value, project_id, kind)


def _words(record: Record, notes: list[str]) -> str:
    """Return the words that a record is found by; those of its home stand apart.

    Who sees it by a link only is not told of its dataset and notes, so he finds it by none of them.
    """
    own = [record.name, record.created_by, *(tag.shown for tag in record.tags)]
    home = [record.dataset.path, *notes]
    if all(link.project_id == record.project_id for link in record.links):
        return words.document([*own, *home])
    apart = (words.document(own), words.HOME, words.document(home))
    return " ".join(part for part in apart if part)


def _images(session: Session, ids: list[int]) -> dict[int, Any]:
    """Return of each record what images have; a file has nothing of it."""
    row = Record.__table__.c
    chosen = select(row.id, row.axes, row.scale, row.channels, row.mask_version_id)
    return {found.id: found for found in session.execute(chosen.where(row.id.in_(ids)))}


def _scores(
    session: Session, records: list[Record], images: dict[int, Any]
) -> dict[int, completeness.Score]:
    """Return how complete each is of what its mask or the facility asks of it."""
    terms = {tag.term_id for record in records for tag in record.tags}
    chosen = select(Term.id, Term.folded).where(Term.id.in_(terms))
    keys = dict(iter(session.execute(chosen)))
    named = {row.mask_version_id for row in images.values() if row.mask_version_id is not None}
    asked = select(MaskVersion.id, MaskVersion.body).where(MaskVersion.id.in_(named))
    masks: dict[int, Any] = dict(iter(session.execute(asked))) if named else {}
    found = {}
    for record in records:
        row, found[record.id] = images[record.id], completeness.NOTHING
        if record.kind == "image" and record.run_id is None and record.purged_at is None:
            tagged = {keys[tag.term_id] for tag in record.tags}
            facts = completeness.Facts(row.axes, row.scale or {}, row.channels or (), tagged)
            found[record.id] = completeness.score(facts, masks.get(row.mask_version_id))
    return found


def channel_words(channels: list[dict[str, Any]] | None) -> str:
    """Return the words of channels' names between bars."""
    named = (channel.get("name") for channel in channels or ())
    folded = (" ".join(words.tokens(name)) for name in named if isinstance(name, str))
    return "".join(f"| {name} " for name in folded if name) + "|"


def _notes(session: Session, ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    chosen = select(Note.record_id, Note.text).where(Note.record_id.in_(ids)).order_by(Note.id)
    for record_id, note in session.execute(chosen):
        found.setdefault(record_id or 0, []).append(note)
    return found


def _write(
    session: Session, gone: list[tuple[Posting, int]], come: list[tuple[Posting, int]]
) -> None:
    connection = session.connection()
    if gone:
        connection.execute(_REMOVE, _parameters(gone))
    if come:
        connection.execute(_ADD, _parameters(come))
    change: Counter[Posting] = Counter(posting for posting, _ in come)
    change.subtract(posting for posting, _ in gone)
    # in one order, so that two transactions never wait for each other
    counted = [{"e": e, "p": p, "k": k, "n": n} for (e, p, k), n in sorted(change.items()) if n]
    if counted:
        connection.execute(_COUNT, counted)


def _write_documents(session: Session, new: list[dict[str, Any]], known: set[int]) -> None:
    connection = session.connection()
    table = Document.__table__
    added = [row for row in new if row["record_id"] not in known]
    changed = [row | {"which": row["record_id"]} for row in new if row["record_id"] in known]
    if added:
        connection.execute(table.insert(), added)  # type: ignore[attr-defined]
    if changed:
        one = table.update().where(table.c.record_id == bindparam("which"))  # type: ignore[attr-defined]
        connection.execute(one, changed)


def _parameters(postings: list[tuple[Posting, int]]) -> list[dict[str, int]]:
    return [{"e": e, "p": p, "k": k, "r": record} for (e, p, k), record in sorted(postings)]


_WHOLE = (
    selectinload(Record.links).joinedload(Link.dataset).load_only(Dataset.trash_id),
    selectinload(Record.tags).selectinload(Tag.value),
    selectinload(Record.dataset).load_only(Dataset.path),
)

_REMOVE = text(
    "DELETE FROM posting WHERE entry = :e AND project_id = :p AND kind = :k AND record_id = :r"
)
_ADD = text(
    "INSERT INTO posting (entry, project_id, kind, record_id) VALUES (:e, :p, :k, :r)"
    " ON CONFLICT DO NOTHING"
)
_COUNT = text(
    "INSERT INTO tally (project_id, entry, kind, n) VALUES (:p, :e, :k, :n)"
    " ON CONFLICT (project_id, entry, kind) DO UPDATE SET n = tally.n + excluded.n"
)
