"""The images of a submit, found and judged some hundreds at a time."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ...db.tables import Image
from .. import policy
from ..actor import Actor
from ..catalog.homes import batches

ROLE = "contributor"


def required(session: Session, actor: Actor, uids: Sequence[str]) -> list[Image]:
    """Return the images in this order, or raise as `policy.require` does for the first refused."""
    found: dict[str, Image] = {}
    allowed: set[int] = set()
    visible = policy.visible(actor, Image).options(selectinload(Image.project))
    may = select(Image.id).where(policy.reachable(actor, ROLE, Image))
    for batch in batches(uids):
        rows = session.scalars(visible.where(Image.uid.in_(batch))).all()
        found |= {image.uid: image for image in rows}
        allowed |= set(session.scalars(may.where(Image.id.in_([image.id for image in rows]))))
    for uid in uids:
        image = found.get(uid)
        if image is None or image.id not in allowed:
            policy.require(session, actor, ROLE, Image, uid)  # it says why
    return [found[uid] for uid in uids]
