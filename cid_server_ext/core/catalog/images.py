"""Images: found and read; where they come from and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload

from ...db.tables import Dataset, Image, Record, RunInput
from .. import policy
from ..actor import Actor
from ..search import find

PAGE = find.PAGE


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records in the order asked for, and the token of the next one."""

    rows: Sequence[Record]
    next: str | None

    @property
    def images(self) -> list[Image]:
        """Return the images among them."""
        return [row for row in self.rows if isinstance(row, Image)]


def search(session: Session, actor: Actor, asked: find.Asked) -> Page:
    """Return a page of the records the caller reaches that fit the query.

    Raises BadInput that names the field, and NotFound for a project that is hidden or absent.
    """
    found = find.find(session, actor, asked)
    kind = Image if asked.kinds <= find.IMAGES else Record
    chosen = select(kind).where(kind.id.in_(found.ids)).options(*_WITH_ROW)
    rows = {row.id: row for row in session.scalars(chosen)}
    return Page([rows[record] for record in found.ids if record in rows], found.next)


def get(session: Session, actor: Actor, uid: str) -> Image:
    """Return the image, or raise NotFound."""
    return policy.find(session, actor, Image, uid)


def parents(session: Session, actor: Actor, image: Image) -> list[Image]:
    """Return the visible images this one was made from."""
    if image.run_id is None:
        return []
    inputs = select(RunInput.image_id).where(RunInput.run_id == image.run_id)
    made_from = policy.visible(actor, Image).where(Image.id.in_(inputs))
    return list(session.scalars(made_from.options(*_WITH_ROW)))


def children(session: Session, actor: Actor, image: Image) -> list[Image]:
    """Return the visible images that runs made from this one, newest first."""
    runs = select(RunInput.run_id).where(RunInput.image_id == image.id)
    made = policy.visible(actor, Image).where(Image.run_id.in_(runs))
    newest = made.order_by(Image.id.desc()).limit(PAGE)
    return list(session.scalars(newest.options(*_WITH_ROW)))


# what a list tells of each; channels are long
_WITH_ROW = (
    joinedload(Record.dataset, innerjoin=True).joinedload(Dataset.project, innerjoin=True),
    defer(Image.channels),
)
