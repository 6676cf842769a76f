"""What was thrown away as the view wants it; see `js/trash/shapes.ts`."""

from __future__ import annotations

from ..lib.catalog import Record
from ..lib.shapes import Shape, only

PICTURES = 6  # of one step


def thrown(of: Record) -> Shape:
    """Return what one step threw away."""
    told = of.record
    keys = ("uid", "what", "person", "nbytes", "records", "created_at", "purge_at")
    return {**only(told, *keys), "images": pictures(of), "datasets": list(told["datasets"])}


def pictures(of: Record) -> list[Shape]:
    """Return the first of its images, with their pictures."""
    pictured = [one for one in of.record["first"] if one.get("thumbnail")]
    return [only(one, "uid", "name", "thumbnail") for one in pictured[:PICTURES]]
