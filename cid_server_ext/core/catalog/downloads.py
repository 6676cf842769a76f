"""What a batch download holds: the bytes of records that the caller reaches, in one form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy.orm import Session, joinedload

from ...db.tables import Dataset, File, Image, Record
from ...errors import NotFound
from .. import policy
from ..actor import Actor
from . import images

Form = Literal["originals", "ome-zarr"]
MOST_RECORDS = 10_000
TOGETHER = 500  # of them in one statement
STORE = "image.ome.zarr"


@dataclass(frozen=True, slots=True)
class Item:
    """A file or folder `stored` below a prefix; `way` is its project and dataset."""

    uid: str
    way: tuple[str, ...]
    name: str
    prefix: str
    stored: str
    sha256: str
    at: dt.datetime


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
        theirs = {row.original_id for row in rows if isinstance(row, Image) and row.original_id}
        shared = images.shared(session, actor, theirs) if form == "originals" else set()
        for row in rows:
            reached.add(row.uid)
            _take(found, row, places[row.id], form, taken, shared)
    if not reached:
        raise NotFound("no such record that you can see: nothing is to be downloaded")
    hidden = (uid for uid in wanted if uid not in reached)
    found.left_out += [LeftOut(uid, "", "no such record that you can see") for uid in hidden]
    return found


def _take(
    found: Gathered, row: Record, place: Dataset, form: Form, taken: set[int], shared: set[int]
) -> None:
    stored: Record | None = row
    if isinstance(row, Image) and form == "originals":
        stored = row.original
    if stored is None:
        why = "it came from no file of its own: take it as ome-zarr"
        found.left_out.append(LeftOut(row.uid, row.name, why))
    elif stored is not row and stored.id in shared:
        why = "its file holds images too that you may not see: take it as ome-zarr"
        found.left_out.append(LeftOut(row.uid, row.name, why))
    elif stored.tier != "online":
        found.left_out.append(LeftOut(row.uid, row.name, "it is in the archive: ask for it first"))
    elif stored.id not in taken:
        taken.add(stored.id)
        found.items.append(_item(stored, place))


def _item(stored: Record, place: Dataset) -> Item:
    way = (place.project.name, *filter(None, place.path.split("/")))
    if isinstance(stored, File):
        name, key = stored.name, stored.stored
    else:
        name, key = f"{stored.name.removesuffix('.zarr').removesuffix('.ome')}.ome.zarr", STORE
    prefix, digest, at = stored.prefix, stored.sha256, stored.created_at
    return Item(stored.uid, way, name, prefix, key, digest, at)
