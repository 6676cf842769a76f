"""What a batch download holds: the bytes of records that the caller reaches, in one form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlalchemy.orm import Session, joinedload

from ...db.tables import Dataset, File, Image, Record
from ...errors import NotFound
from .. import policy
from ..actor import Actor
from . import images, references, shown
from .references import Where

Form = Literal["originals", "ome-zarr", "ome-tiff", "imagej"]
MADE = ("ome-tiff", "imagej")  # of an image's pixels, on the way
MOST_RECORDS = 10_000
TOGETHER = 500  # of them in one statement
STORE = "image.ome.zarr"
CHANGED = "its bytes are not what was registered: staff has to look at it first"


@dataclass(frozen=True, slots=True)
class Item:
    """A file or folder `stored` below a prefix; `way` is its project and dataset.

    name: in the archive; for what is made on the way without its suffix. called, tags: of it.
    place: where its bytes lie, if not below the prefix.
    """

    uid: str
    way: tuple[str, ...]
    name: str
    prefix: str
    stored: str
    sha256: str
    at: dt.datetime
    form: str
    called: str
    tags: tuple[tuple[str, str], ...]
    place: Where | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that is not in it, and why."""

    uid: str
    name: str
    why: str


@dataclass(slots=True)
class Gathered:
    """All of it, in the order of the records."""

    items: list[Item] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def gather(session: Session, actor: Actor, uids: Sequence[str], form: Form) -> Gathered:
    """Return what is downloaded of these records; an original of several images is in it once.

    Hidden and absent records are left out alike. Raises NotFound when the caller reaches none.
    """
    found, reached, taken = Gathered(), set[str](), set[int]()
    wanted = list(dict.fromkeys(uids))
    for at in range(0, len(wanted), TOGETHER):
        batch = wanted[at : at + TOGETHER]
        seen = policy.visible(actor, Record).where(Record.uid.in_(batch)).order_by(Record.id)
        rows = session.scalars(seen.options(joinedload(Image.original))).all()
        places = policy.places(session, actor, rows)
        theirs = {row.original for row in rows if isinstance(row, Image) and row.original}
        shared = set()
        if form == "originals":
            shared = images.shared(session, actor, {one.id for one in theirs})
        apart = references.places(session, {*theirs, *rows})
        tags = shown.tags(session, [row.id for row in rows]) if form in MADE else {}
        for row in rows:
            reached.add(row.uid)
            if stored := _stored(found, row, form, taken, shared):
                pairs = tuple((tag.key, tag.value) for tag in tags.get(row.id, ()))
                place = apart.get(stored.id)
                if place and place.changed:
                    found.left_out.append(LeftOut(row.uid, row.name, CHANGED))
                    continue
                item = _item(stored, places[row.id], form, pairs)
                found.items.append(replace(item, place=place))
    if not reached:
        raise NotFound("no such record that you can see: nothing is to be downloaded")
    hidden = (uid for uid in wanted if uid not in reached)
    found.left_out += [LeftOut(uid, "", "no such record that you can see") for uid in hidden]
    return found


def _stored(
    found: Gathered, row: Record, form: Form, taken: set[int], shared: set[int]
) -> Record | None:
    """Return the record whose bytes are taken, once; or say why none are."""
    stored: Record | None = row
    if isinstance(row, Image) and form == "originals":
        stored = row.original
    if stored is None:
        why = "it came from no file of its own: take it as ome-zarr or ome-tiff"
        found.left_out.append(LeftOut(row.uid, row.name, why))
    elif stored is not row and stored.id in shared:
        why = "its file holds images too that you may not see: take it as ome-zarr or ome-tiff"
        found.left_out.append(LeftOut(row.uid, row.name, why))
    elif stored.tier != "online":
        found.left_out.append(LeftOut(row.uid, row.name, "it is in the archive: ask for it first"))
    elif stored.id not in taken:
        taken.add(stored.id)
        return stored
    return None


def _item(stored: Record, place: Dataset, form: Form, tags: tuple[tuple[str, str], ...]) -> Item:
    way = (place.project.name, *filter(None, place.path.split("/")))
    name, key, made = stored.name, STORE, form in MADE
    if isinstance(stored, File):
        key, made = stored.stored, False
    else:
        name = name.removesuffix(".zarr")
        for suffix in (".tiff", ".tif") if made else ():
            name = name.removesuffix(suffix)
        name = name.removesuffix(".ome") + ("" if made else ".ome.zarr")
    prefix, digest, at = stored.prefix, stored.sha256, stored.created_at
    uid, called = stored.uid, stored.name
    return Item(uid, way, name, prefix, key, digest, at, form if made else "", called, tags)
