"""After an undo everything lies where it must, or the undo is refused.

Rows that are as the change left them can be torn from what came since: a dataset made below one
that was moved, a file deposited into it, a record that has another home now.
"""

from __future__ import annotations

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from ...db.tables import Dataset, Link, Note, Record, Tag, Term
from ...errors import Conflict
from .rows import Item, batches

_PARENT = aliased(Dataset)


def check(session: Session, changes: list[Item]) -> None:
    """Raise Conflict that names what stands in the way of the rows as they are now."""
    for item in changes:
        for batch in batches(item.keys):
            ids = [key[0] for key in batch]
            if item.table.name == "dataset":
                _datasets(session, ids)
            elif item.table.name == "record":
                _refuse(session, _astray().where(Record.id.in_(ids)))
            elif item.table.name == "link":
                pairs = Link.dataset_id.in_(ids) & Link.record_id.in_([key[1] for key in batch])
                _refuse(session, _links_astray().where(pairs))
            elif item.table.name == "note":
                _refuse(session, _notes_astray().where(Note.id.in_(ids)))
            elif item.table.name == "tag":
                _refuse(session, _tags_astray().where(Tag.id.in_(ids)))


def _datasets(session: Session, ids: list[int]) -> None:
    _refuse(session, _astray().where(Record.dataset_id.in_(ids)))
    _refuse(session, _links_astray().where(Link.dataset_id.in_(ids)))
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


def _refuse(session: Session, found: Select[str]) -> None:
    name = session.scalar(found.limit(1))
    if name is not None:
        raise Conflict(
            f"{name!r} lies elsewhere now, or its dataset is in the trash: see to it first"
        )
