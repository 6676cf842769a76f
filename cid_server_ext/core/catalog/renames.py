"""One spelling instead of another: values renamed or merged, terms merged, every use rewritten.

One step, one entry: `db.capture` is told each row, so it can be undone. A record that has both
keeps one. The search index follows in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, delete, select, update
from sqlalchemy.orm import Session, aliased

from ...db import capture
from ...db.tables import Image, Project, Record, Tag, Term, Value
from ...errors import BadInput, Conflict
from .. import journal, policy, units
from ..actor import Actor
from ..search import index
from . import tagging, terms, typed, values, vocabulary

CAPTURED = {"captured": True}


@dataclass(frozen=True, slots=True)
class Renamed:
    """What became of a value: the one that is used now, and how many uses were rewritten."""

    value: Value
    uses: int
    merged: bool


def rename_value(
    session: Session, actor: Actor, uid: str, value_uid: str, to: str, project: str | None = None
) -> Renamed:
    """Call a value otherwise, or merge it into the one that is called so.

    Managers may in their project, of the facility's terms too; staff everywhere.
    """
    term = vocabulary.find(session, actor, uid)
    value = values.find(session, actor, term, value_uid)
    within = _scope(session, actor, term, project)  # a project, or None: all of them
    new = typed.read(term, to)
    if new.text == value.text:
        raise BadInput(f"to: it is called {value.text!r} already")
    vocabulary.alone(session)
    same = select(Value).where(Value.term_id == term.id, Value.text == new.text)
    target = session.scalar(same)
    merged = target is not None and _is_known(session, actor, term, target)
    was = value.text
    if target is None and within is None:
        target, uses = value, _call(session, value, new)
    else:
        target = _target(session, term, value, target, new)
        uses = _lead(session, value, target, within)
    action = "merge values" if merged else "rename value"
    detail = {"key": term.key, "from": was, "to": target.text, "uses": uses}
    subject = f"term:{term.uid}"
    scope = term.project_id if within is None else within
    journal.record(session, actor.name, action, subject, detail, project_id=scope)
    return Renamed(target, uses, merged)


def merge_terms(session: Session, actor: Actor, uid: str, into: str) -> Term:
    """Give all uses of a term to another and retire it; values of the same spelling become one.

    Managers may merge their project's terms, also into the facility's; staff all.
    """
    old, new = vocabulary.manage(session, actor, uid), vocabulary.find(session, actor, into)
    _refuse_merge(old, new)
    count = terms.uses(session, old)
    terms.refuse_too_many(count)
    vocabulary.alone(session)
    rows = session.execute(
        select(Tag.id, Tag.record_id, Tag.value_id).where(Tag.term_id == old.id)
    ).all()
    tagging.lock(session, [row.record_id for row in rows])
    converted = old.unit != new.unit
    if converted:
        terms.convert(session, old, new.unit)
    kept = _without_both(session, rows, old, new)
    for value in session.scalars(select(Value).where(Value.term_id == old.id)).all():
        target = _same_in(session, value, new)
        mine = [row for row in kept if row.value_id == value.id]
        if target is None:
            value.term_id = new.id
            value.declared = value.declared and old.project_id == new.project_id
            _rewrite(session, mine, {"term_id": old.id}, {"term_id": new.id})
        else:
            before = {"term_id": old.id, "value_id": value.id}
            _rewrite(session, mine, before, {"term_id": new.id, "value_id": target.id})
            target.retired, value.retired = target.retired and not mine, True
    bare = [row for row in kept if row.value_id is None]
    _rewrite(session, bare, {"term_id": old.id}, {"term_id": new.id}, touched=converted)
    old.retired = True
    session.flush()
    _keep_dates(session, new, bare)
    session.expire_all()
    index.refresh(session, {row.record_id for row in rows})
    detail = {"from": old.key, "into": new.key, "uses": count}
    subject = f"term:{old.uid}"
    journal.record(session, actor.name, "merge terms", subject, detail, project_id=old.project_id)
    return new


def _is_known(session: Session, actor: Actor, term: Term, value: Value) -> bool:
    """Say whether the caller knows of a value: he is not told that others have it."""
    known = values.known(term, policy.projects(actor))
    return session.scalar(select(Value.id).where(known, Value.id == value.id)) is not None


def _scope(session: Session, actor: Actor, term: Term, project: str | None) -> int | None:
    """Return the project whose uses are rewritten; None: all of the term's."""
    if term.project is not None:
        if project not in (None, term.project.name):
            raise BadInput(f"project: the term belongs to {term.project.name!r}")
        vocabulary.require_manager(session, actor, term.project)
        return None
    if project is None:
        policy.require_staff(actor)
        return None
    row = policy.find(session, actor, Project, project)
    vocabulary.require_manager(session, actor, row)
    return row.id


def _call(session: Session, value: Value, new: typed.Typed) -> int:
    """Give the value's own row another text; its uses stay as they are."""
    used = select(Tag.record_id).where(Tag.value_id == value.id).limit(terms.MOST_USES + 1)
    records = session.scalars(used).all()
    terms.refuse_too_many(len(records))
    tagging.lock(session, records)
    value.text, value.folded = new.text, typed.folded(new.text, 800)
    value.iri = new.iri or value.iri
    session.flush()
    index.refresh(session, records)
    return len(records)


def _target(
    session: Session, term: Term, value: Value, target: Value | None, new: typed.Typed
) -> Value:
    """Return the row that the uses are led to, made or taken back into use."""
    if target is None:
        if term.type == "choice":
            raise BadInput(f"to: {new.text!r} is not one of the values of {term.key!r}")
        target = values.new_value(term, new)
        target.iri = new.iri or value.iri
        session.add(target)
    target.retired = False
    session.flush()
    return target


def _lead(session: Session, value: Value, target: Value, project_id: int | None) -> int:
    """Rewrite the uses of one value to another, of one project or all; retire what is unused."""
    chosen = select(Tag.id, Tag.record_id, Tag.value_id).where(Tag.value_id == value.id)
    if project_id is not None:
        chosen = chosen.join(Record).where(Record.project_id == project_id)
    rows = session.execute(chosen.limit(terms.MOST_USES + 1)).all()
    terms.refuse_too_many(len(rows))
    tagging.lock(session, [row.record_id for row in rows])
    other = aliased(Tag)
    both = select(Tag.id).join(
        other, (other.record_id == Tag.record_id) & (other.value_id == target.id)
    )
    twice = set(session.scalars(both.where(Tag.value_id == value.id)))
    _remove(session, [row for row in rows if row.id in twice])
    kept = [row for row in rows if row.id not in twice]
    _rewrite(session, kept, {"value_id": value.id}, {"value_id": target.id})
    left = session.scalar(select(Tag.id).where(Tag.value_id == value.id).limit(1))
    if left is None and (project_id is None or not value.declared):
        value.retired = True
        if project_id is None:
            target.declared = target.declared or value.declared
    session.flush()
    index.refresh(session, [row.record_id for row in rows])
    return len(rows)


def _refuse_merge(old: Term, new: Term) -> None:
    if old.id == new.id:
        raise BadInput("into: a term cannot be merged into itself")
    if new.project_id not in (None, old.project_id):
        raise BadInput("into: a term of the same vocabulary, or of the facility's")
    if new.retired:
        raise Conflict(f"into: {new.key!r} is retired")
    if old.type != new.type or old.scheme != new.scheme:
        raise BadInput(f"into: {old.key!r} and {new.key!r} are of different types")
    if bool(old.unit) != bool(new.unit):
        raise BadInput("into: numbers with and without a unit cannot be merged")
    if old.unit:
        units.convert(1.0, old.unit, new.unit)


def _without_both(
    session: Session, rows: Sequence[Row[int, int, int | None]], old: Term, new: Term
) -> Sequence[Row[int, int, int | None]]:
    """Take the old tag off where the record can keep only one of the two; return the others."""
    other = aliased(Tag)
    clash = (other.record_id == Tag.record_id) & (other.term_id == new.id)
    both = select(Tag.id).join(other, clash).where(Tag.term_id == old.id)
    if new.many:  # only where both are the same value
        mine, theirs = aliased(Value), aliased(Value)
        both = both.join(mine, mine.id == Tag.value_id).join(theirs, theirs.id == other.value_id)
        both = both.where(mine.text == theirs.text)
    twice = set(session.scalars(both))
    if not new.many and old.many:  # of several one is kept
        seen: set[int] = set()
        for row in rows:
            if row.record_id in seen:
                twice.add(row.id)
            seen.add(row.record_id)
    _remove(session, [row for row in rows if row.id in twice])
    return [row for row in rows if row.id not in twice]


def _same_in(session: Session, value: Value, term: Term) -> Value | None:
    """Return the term's value of this spelling; a choice that is not there is refused."""
    same = Value.folded == value.folded if term.type == "choice" else Value.text == value.text
    found = session.scalar(select(Value).where(Value.term_id == term.id, same))
    if found is None and term.type == "choice" and not value.retired:
        raise Conflict(f"into: {value.text!r} is not one of the values of {term.key!r}")
    return found


def _keep_dates(session: Session, term: Term, rows: Sequence[Row[int, int, int | None]]) -> None:
    if not vocabulary.is_acquisition(term):
        return
    for batch in tagging.batches([row.id for row in rows]):
        dates = select(Image, Tag.number).join(Tag, Tag.record_id == Image.id)
        for image, number in session.execute(dates.where(Tag.id.in_(batch))):
            image.acquired_at = None if number is None else tagging.moment(number)
    session.flush()


def _rewrite(
    session: Session,
    rows: Sequence[Row[int, int, int | None]],
    before: dict[str, int],
    after: dict[str, int],
    *,
    touched: bool = False,
) -> None:
    session.flush()
    if not touched:
        capture.rewrite(session, Tag, [row.id for row in rows], dict(before), dict(after))
    for batch in tagging.batches([row.id for row in rows]):
        change = update(Tag).where(Tag.id.in_(batch)).values(**after)
        session.execute(change.execution_options(synchronize_session=False, **CAPTURED))


def _remove(session: Session, rows: Sequence[Row[int, int, int | None]]) -> None:
    capture.touch(session, Tag, [row.id for row in rows])
    for batch in tagging.batches([row.id for row in rows]):
        gone = delete(Tag).where(Tag.id.in_(batch))
        session.execute(gone.execution_options(synchronize_session=False, **CAPTURED))
