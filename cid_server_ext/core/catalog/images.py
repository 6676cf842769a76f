"""Images: found and read; where they come from and what came of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import not_, select
from sqlalchemy.orm import Session, defer, joinedload

from ...db.tables import Dataset, Document, Image, Instrument, MaskVersion, Record, RunInput
from .. import policy
from ..actor import Actor
from ..search import find
from . import completeness, machine

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


def shared(session: Session, actor: Actor, originals: Collection[int]) -> set[int]:
    """Return which of these files hold images too that the caller may not see.

    Their bytes are not his to read, though he sees an image that was read from them.
    """
    hidden = not_(policy.reachable(actor, "viewer", Image))
    live = Image.trash_id.is_(None) & Image.purged_at.is_(None)
    chosen = select(Image.original_id).where(Image.original_id.in_(originals), live, hidden)
    return {number for number in session.scalars(chosen) if number is not None}


def complete(session: Session, ids: Sequence[int]) -> dict[int, float | None]:
    """Return how complete each image is, from 0 to 1; None where nothing is asked of it."""
    chosen = select(Document.record_id, Document.completeness).where(Document.record_id.in_(ids))
    return dict(iter(session.execute(chosen)))


def unknown(session: Session, image: Image) -> dict[str, str]:
    """Return what is asked of an image and missing, each with the reason in words.

    Also that its acquisition date has no time zone.
    """
    document = session.execute(select(Document.missing).where(Document.record_id == image.id))
    version = mask(session, image)
    missing = document.scalar_one_or_none() or ""
    told = completeness.told(missing, image.unknown, version.body if version else None)
    zone = (image.unknown or {}).get(machine.ZONE)
    return told | ({machine.ZONE: zone} if zone else {})


def instrument(session: Session, image: Image) -> Instrument | None:
    """Return the microscope that took an image, if it is known."""
    return session.get(Instrument, image.instrument_id) if image.instrument_id else None


def mask(session: Session, image: Image) -> MaskVersion | None:
    """Return the version of the mask that an image's upload was held to, if there was one."""
    return session.get(MaskVersion, image.mask_version_id) if image.mask_version_id else None


# what a list tells of each; channels are long
_WITH_ROW = (
    joinedload(Record.dataset, innerjoin=True).joinedload(Dataset.project, innerjoin=True),
    defer(Image.channels),
)
