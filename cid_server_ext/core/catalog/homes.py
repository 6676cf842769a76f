"""Records get another home: bytes are charged there, tags and notes become that project's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import delete, func, inspect, or_, select, update
from sqlalchemy.orm import Session

from ...db import capture
from ...db.tables import Dataset, Deposit, Link, Note, Project, Record, Tag, Term, Trash, Value
from ...errors import Conflict
from ..ledger import allocations

T = TypeVar("T")

BATCH = 400
CAPTURED = {"captured": True}
OWN = frozenset({"id", "uid", "created_at", "project_id", "term_id"})  # what a copy has of its own


def move_records(session: Session, rows: Sequence[Record], target: Dataset) -> None:
    """Put records that nobody else may change now into a dataset, of whatever project."""
    leaving = [row for row in rows if row.project_id != target.project_id]
    homes = {row.id: row.project_id for row in leaving}
    for row in rows:
        row.dataset_id, row.project_id = target.id, target.project_id
    session.flush()
    for batch in batches([row.id for row in rows]):  # it needs no link to where it lies
        keys = [(target.id, number) for number in batch]
        capture.touch(session, Link, keys)
        gone = delete(Link).where(Link.dataset_id == target.id, Link.record_id.in_(batch))
        session.execute(gone, execution_options=CAPTURED)
    for old in sorted(set(homes.values())):
        _adopt(session, [n for n, home in homes.items() if home == old], old, target.project)
    session.expire_all()


def move_datasets(
    session: Session, tree: Sequence[Dataset], home: Project, paths: Sequence[str]
) -> None:
    """Give datasets these paths in `home`; into another project what lies in them follows."""
    old = tree[0].project_id
    ids = [dataset.id for dataset in tree]
    held = lying_in(session, ids, lock=True) if home.id != old else []
    if home.id != old:
        _refuse_unfinished(session, ids)
    # together: the old path may be taken there, and the new one here
    for dataset, path in zip(tree, paths, strict=True):
        dataset.project_id, dataset.path = home.id, path
    session.flush()
    if home.id != old:
        _move_what_lies_in(session, ids, held, old, home)


def _move_what_lies_in(
    session: Session, ids: Sequence[int], held: Sequence[int], old: int, home: Project
) -> None:
    for batch in batches(held):
        capture.touch(session, Record, batch)
        moved = update(Record).where(Record.id.in_(batch)).values(project_id=home.id)
        session.execute(moved, execution_options=CAPTURED)
    for batch in batches(ids):
        chosen = select(Link.dataset_id, Link.record_id).where(Link.dataset_id.in_(batch))
        capture.touch(session, Link, [tuple(key) for key in session.execute(chosen)])
        shown = update(Link).where(Link.dataset_id.in_(batch)).values(project_id=home.id)
        session.execute(shown, execution_options=CAPTURED)
        _take_notes(session, Note.dataset_id.in_(batch), home)
    _adopt(session, held, old, home)


def lying_in(session: Session, dataset_ids: Sequence[int], *, lock: bool = False) -> list[int]:
    """Return the ids of all records whose home these datasets are, of those in the trash too."""
    found: list[int] = []
    for batch in batches(dataset_ids):
        chosen = select(Record.id).where(Record.dataset_id.in_(batch)).order_by(Record.id)
        found += session.scalars(chosen.with_for_update() if lock else chosen)
    return found


def shown_in(session: Session, dataset_ids: Iterable[int]) -> set[int]:
    """Return the ids of the records that a link shows in these datasets."""
    found: set[int] = set()
    for batch in batches(dataset_ids):
        found.update(session.scalars(select(Link.record_id).where(Link.dataset_id.in_(batch))))
    return found


def _adopt(session: Session, ids: Sequence[int], old: int, home: Project) -> None:
    if home.state != "active":
        raise Conflict(f"project {home.name!r} is {home.state}: it takes nothing in")
    nbytes = 0
    for batch in batches(ids):
        sizes = select(Record.nbytes).where(Record.id.in_(batch), Record.purged_at.is_(None))
        nbytes += sum(session.scalars(sizes))
        _take_notes(session, Note.record_id.in_(batch), home)
    for project_id, used in sorted({old: -nbytes, home.id: nbytes}.items()):
        allocations.settle(session, project_id, reserved=0, used=used)
    _retag(session, ids, old, home)


def _take_notes(session: Session, about: Any, home: Project) -> None:
    ids = session.scalars(select(Note.id).where(about)).all()
    capture.touch(session, Note, ids)
    taken = update(Note).where(about).values(project_id=home.id)
    session.execute(taken, execution_options=CAPTURED)


def _retag(session: Session, ids: Sequence[int], old: int, home: Project) -> None:
    """Lead tags of the old project's own terms to the terms of the same key in the new one."""
    own = select(Tag.id, Tag.term_id, Tag.value_id).join(Term, Term.id == Tag.term_id)
    own = own.where(Term.project_id == old)
    uses: dict[tuple[int, int | None], list[int]] = {}
    for batch in batches(ids):
        for tag_id, term_id, value_id in session.execute(own.where(Tag.record_id.in_(batch))):
            uses.setdefault((term_id, value_id), []).append(tag_id)
    terms = {number: _term_in(session, number, home) for number in sorted({t for t, _ in uses})}
    for (term_id, value_id), tags in sorted(uses.items(), key=lambda use: use[1]):
        term = terms[term_id]
        values = {"term_id": term.id}
        if value_id is not None:
            values["value_id"] = _value_in(session, value_id, term)
        for batch in batches(tags):
            capture.touch(session, Tag, batch)
            led = update(Tag).where(Tag.id.in_(batch)).values(**values)
            session.execute(led, execution_options=CAPTURED)
    _refuse_several(session, ids, [term for term in terms.values() if not term.many], home)


def _refuse_several(
    session: Session, ids: Sequence[int], single: Sequence[Term], home: Project
) -> None:
    """Raise Conflict when a record has several values of a term that takes one there."""
    numbers = [term.id for term in single]
    for batch in batches(ids):
        several = select(Term.key, Record.name).join(Tag, Tag.term_id == Term.id).join(Record)
        several = several.where(Term.id.in_(numbers), Record.id.in_(batch))
        several = several.group_by(Term.id, Term.key, Record.id, Record.name)
        found = session.execute(several.having(func.count() > 1).limit(1)).first()
        if found is not None:
            raise Conflict(
                f"{found.name!r} has several values of {found.key!r}, which takes one in project "
                f"{home.name!r}: take one off"
            )


def _term_in(session: Session, term_id: int, home: Project) -> Term:
    """Return the term of the same key that `home` has or inherits; a copy where there is none."""
    term = session.get_one(Term, term_id)
    theirs = or_(Term.project_id == home.id, Term.project_id.is_(None))
    same = select(Term).where(theirs, Term.folded == term.folded)
    found = session.scalar(same.order_by(Term.project_id.is_(None)).limit(1))
    if found is None:
        found = _copy(term, project_id=home.id)
        session.add(found)
        session.flush()
    elif (found.type, found.unit, found.scheme) != (term.type, term.unit, term.scheme):
        raise Conflict(
            f"tag {term.key!r} is {term.type} {term.unit} here and {found.type} {found.unit} in "
            f"project {home.name!r}: give one of them another name"
        )
    return found


def _value_in(session: Session, value_id: int, term: Term) -> int:
    value = session.get_one(Value, value_id)
    same = select(Value).where(Value.term_id == term.id, Value.text == value.text)
    if (found := session.scalar(same)) is not None:
        found.retired = False  # it is used again
        return found.id
    made = _copy(value, term_id=term.id)
    session.add(made)
    session.flush()
    return int(made.id)


def _copy(row: Any, **own: Any) -> Any:
    columns = {c.key: getattr(row, c.key) for c in inspect(type(row)).columns if c.key not in OWN}
    return type(row)(**columns, **own)


def _refuse_unfinished(session: Session, ids: Sequence[int]) -> None:
    """Raise Conflict when something below lies in the trash or is on its way in."""
    thrown: set[str] = set()
    coming = 0
    for batch in batches(ids):
        kept = select(Trash.id).where(Trash.state == "kept")
        below = select(Dataset.path).where(Dataset.id.in_(batch), Dataset.trash_id.in_(kept))
        inside = select(Record.name).where(Record.dataset_id.in_(batch), Record.trash_id.in_(kept))
        thrown.update(session.scalars(below.limit(3)), session.scalars(inside.limit(3)))
        under_way = Deposit.state.in_(("open", "importing"))
        deposits = select(Deposit.id).where(Deposit.dataset_id.in_(batch), under_way)
        coming += len(session.scalars(deposits).all())
    if thrown:
        told = ", ".join(sorted(thrown)[:3])
        raise Conflict(f"{told} of it lies in the trash: restore or purge that first")
    if coming:
        raise Conflict("a deposit into it is under way: wait for it, or give it up")


def batches(ids: Iterable[T]) -> Iterable[list[T]]:
    """Yield so many at a time as one statement takes."""
    listed = list(ids)
    return (listed[at : at + BATCH] for at in range(0, len(listed), BATCH))
