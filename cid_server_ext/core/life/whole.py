"""After an undo everything lies where it must, or the undo is refused.

Rows that are as the change left them can be torn from what came since: a dataset made below one
that was moved, a file deposited into it, a record that has another home now.
"""

from __future__ import annotations

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from ...db.tables import Dataset, Link, Note, Record, Tag, Term, Trash, Value
from ...errors import Conflict
from .rows import Item, batches

_PARENT = aliased(Dataset)
TORN = "has a value that came to another key since: rename or merge by hand"


def check(session: Session, changes: list[Item]) -> None:
    """Raise Conflict that names what stands in the way of the rows as they are now."""
    for item in changes:
        for batch in batches(item.keys):
            ids = [key[0] for key in batch]
            if item.table.name == "dataset":
                _datasets(session, ids)
            elif item.table.name == "record":
                _records(session, ids)
            elif item.table.name == "link":
                pairs = Link.dataset_id.in_(ids) & Link.record_id.in_([key[1] for key in batch])
                _refuse(session, _links_astray().where(pairs))
            elif item.table.name == "note":
                _refuse(session, _notes_astray().where(Note.id.in_(ids)))
            elif item.table.name == "tag":
                _refuse(session, _tags_astray().where(Tag.id.in_(ids)))
                _refuse(session, _tags_torn().where(Tag.id.in_(ids)), TORN)
            elif item.table.name == "value":
                _refuse(session, _tags_torn().where(Tag.value_id.in_(ids)), TORN)


def use_again(session: Session, changes: list[Item]) -> None:
    """Bring back, in the same step, values that were retired and that records have again."""
    tags = [key[0] for item in changes if item.table.name == "tag" for key in item.keys]
    for batch in batches(tags):
        used = select(Tag.value_id).where(Tag.id.in_(batch))
        for value in session.scalars(select(Value).where(Value.id.in_(used), Value.retired)):
            value.retired = False


def _records(session: Session, ids: list[int]) -> None:
    _refuse(session, _astray().where(Record.id.in_(ids)))
    elsewhere = Trash.project_id != Record.project_id
    thrown = select(Record.name).join(Record.trash).where(elsewhere, Trash.state == "kept")
    _refuse(session, thrown.where(Record.id.in_(ids)), "was thrown away since: restore it first")
    for since in (_tags_astray(), _notes_astray()):
        why = "has tags or notes of the project it is in now: move it back instead"
        _refuse(session, since.where(Record.id.in_(ids)), why)


def _datasets(session: Session, ids: list[int]) -> None:
    _refuse(session, _astray().where(Record.dataset_id.in_(ids)))
    _refuse(session, _links_astray().where(Link.dataset_id.in_(ids)))
    elsewhere = (Trash.id == Dataset.trash_id) & (Trash.project_id != Dataset.project_id)
    gone = select(Dataset.path).join(Trash, elsewhere).where(Trash.state == "kept")
    _refuse(session, gone.where(Dataset.id.in_(ids)), "was thrown away since: restore it first")
    places = select(
        Dataset.path,
        Dataset.project_id,
        Dataset.trash_id,
        _PARENT.path,
        _PARENT.project_id,
        _PARENT.trash_id,
    ).join(_PARENT, _PARENT.id == Dataset.parent_id)
    for path, project, trash, above, home, thrown in session.execute(
        places.where(or_(Dataset.id.in_(ids), _PARENT.id.in_(ids)))
    ):
        if trash is None and thrown is not None:
            raise Conflict(f"dataset {above!r} is in the trash: restore it first")
        if project != home or path.rpartition("/")[0] != above:
            raise Conflict(f"dataset {path!r} would be torn from its place: move it first")


def _astray() -> Select[str]:
    """Select the names of records that are not where their dataset is."""
    hidden = Record.trash_id.is_(None) & Record.purged_at.is_(None) & Dataset.trash_id.is_not(None)
    elsewhere = Record.project_id != Dataset.project_id
    return select(Record.name).join(Record.dataset).where(or_(elsewhere, hidden))


def _links_astray() -> Select[str]:
    linked = select(Record.name).join(Link, Link.record_id == Record.id).join(Link.dataset)
    return linked.where(Link.project_id != Dataset.project_id)


def _notes_astray() -> Select[str]:
    noted = select(Record.name).join(Note, Note.record_id == Record.id)
    return noted.where(Note.project_id != Record.project_id)


def _tags_astray() -> Select[str]:
    tagged = select(Record.name).join(Tag, Tag.record_id == Record.id).join(Tag.term)
    return tagged.where(Term.project_id.is_not(None), Term.project_id != Record.project_id)


def _tags_torn() -> Select[str]:
    """Select the names of records with a value of another term than their tag's."""
    tagged = select(Record.name).join(Tag, Tag.record_id == Record.id)
    return tagged.join(Value, Value.id == Tag.value_id).where(Value.term_id != Tag.term_id)


def _refuse(
    session: Session,
    found: Select[str],
    why: str = "lies elsewhere now, or its dataset is in the trash: see to it first",
) -> None:
    name = session.scalar(found.limit(1))
    if name is not None:
        raise Conflict(f"{name!r} {why}")
