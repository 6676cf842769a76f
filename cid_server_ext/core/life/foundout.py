"""What the catalog itself found out of adopted records since: put back before they are taken back.

Nobody worked with a record because a duty looked at its bytes, or measured its pixels in place.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db import capture
from ...db.tables import Image, Reference
from ..catalog import quality
from . import rows
from .rows import Item

LOOKED = ("state", "reason", "nbytes", "mtime_ns", "hashed_at")  # columns of fixity's


def forget(session: Session, steps: Iterable[list[Item]], made: set[int], person: str) -> None:
    """Let references and images in place say what they said when they came."""
    for batch in rows.batches(sorted(made)):
        theirs = select(Image).where(Image.id.in_(batch), Image.inside.is_not(None))
        measured = [image for image in session.scalars(theirs) if image.quality]
        for image in measured:
            image.quality = None  # type: ignore[assignment]
        for project_id in {image.project_id for image in measured}:
            quality.tag_all(session, [i for i in measured if i.project_id == project_id], person)
    for item in (item for step in steps for item in step):
        if item.table.name != "reference" or item.before is not None:
            continue
        said = capture.decoded(item.table, item.after or {})
        came = {name: said.get(name) for name in LOOKED}
        for batch in rows.batches([key[0] for key in item.keys]):
            asked = select(Reference).where(Reference.record_id.in_(batch))
            for row in session.scalars(asked):
                for name, value in came.items():
                    if getattr(row, name) != value:
                        setattr(row, name, value)
    session.flush()
