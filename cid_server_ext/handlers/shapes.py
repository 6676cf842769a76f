"""What the API answers: one model a record, and the functions that fill them.

Bytes are never in an answer; a record carries the addresses of its bytes (`addresses`).
Who reaches a record by a link is told where the link is, and nothing that names its home.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select

from ..core import policy
from ..core.catalog import images as catalog
from ..core.catalog import references, shown
from ..core.catalog.judged import judged
from ..core.catalog.shown import Tag
from ..db import tables as t
from . import addresses
from .addresses import InPlace, address
from .base import Ask


class Who(BaseModel):
    """The caller."""

    name: str
    staff: bool
    guest: bool
    writes: bool
    run: str | None
    home: str


class Row(BaseModel):
    """An image in a list."""

    uid: str
    name: str
    kind: str
    project: str
    dataset: str
    axes: str
    shape: list[int]
    dtype: str
    levels: int
    scale: dict[str, float]
    units: dict[str, str]
    nbytes: int
    source: str | None
    created_by: str
    created_at: dt.datetime
    tags: list[Tag]
    completeness: float | None
    thumbnail: str


class Instrument(BaseModel):
    """The microscope that took an image; `instruments/{uid}` has more of it."""

    uid: str
    name: str


class Mask(BaseModel):
    """The version of a mask that an upload was held to."""

    uid: str
    name: str
    version: int


class Original(BaseModel):
    """The file an image was read from, kept as it came, or where it was."""

    uid: str
    name: str
    media_type: str  # inode/directory: a folder of files, named after the main one
    nbytes: int
    sha256: str
    in_place: InPlace | None


class Image(Row):
    """An image with the addresses of its bytes; `data` ends in a slash and is an OME-Zarr 0.5.

    `unknown` says of what is asked of the image and missing why it is; `quality` has the measures
    of each channel and what they mean in words, null where nothing was measured. `original_url` is
    null where the original is a folder of files (take it by `downloads`), or holds images too that
    the caller may not see.
    """

    channels: list[dict[str, Any]]
    instrument: Instrument | None
    mask: Mask | None
    unknown: dict[str, str]
    quality: dict[str, Any] | None
    sha256: str
    run: str | None
    original: Original | None
    data: str
    original_url: str | None


class Images(BaseModel):
    """A page; pass `next` as `after` for the following one."""

    images: list[Row]
    next: str | None


class File(BaseModel):
    """A file with the address of its bytes; null for a folder of files: take it by `downloads`."""

    uid: str
    name: str
    kind: str
    project: str
    dataset: str
    media_type: str
    nbytes: int
    sha256: str
    created_by: str
    created_at: dt.datetime
    run: str | None
    tags: list[Tag]
    url: str | None
    in_place: InPlace | None


def row(ask: Ask, image: t.Image) -> Row:
    """Fill an image of a list."""
    return rows(ask, [image])[0]


def rows(ask: Ask, images: Sequence[t.Image]) -> list[Row]:
    """Fill a list of images, in as many queries for all of them as for one."""
    return [Row(**fields) for fields in _rows(ask, images)]


def image(ask: Ask, image: t.Image) -> Image:
    """Fill an image whole."""
    original, taken = image.original, catalog.instrument(ask.session, image)
    there = original and references.get(ask.session, original)
    return Image(
        **_rows(ask, [image])[0],
        channels=image.channels,
        instrument=taken and Instrument(uid=taken.uid, name=taken.name),
        mask=mask(catalog.mask(ask.session, image)),
        unknown=catalog.unknown(ask.session, image),
        quality=judged(image.quality),
        sha256=image.sha256,
        run=_run_of(ask, image),
        original=original
        and Original(
            uid=original.uid,
            name=original.name,
            media_type=original.media_type,
            nbytes=there.nbytes if there else original.nbytes,
            sha256=original.sha256,
            in_place=addresses.in_place(ask, original, there),
        ),
        data=addresses.pixels(ask, image, there),
        original_url=original and _bytes_of_original(ask, original, there),
    )


def mask(row: t.MaskVersion | None) -> Mask | None:
    """Say which version of which mask it is."""
    return row and Mask(uid=row.mask.uid, name=row.mask.name, version=row.number)


def file(ask: Ask, row: t.File) -> File:
    """Fill a file."""
    place = policy.places(ask.session, ask.actor, [row])[row.id]
    there = references.get(ask.session, row)
    return File(
        uid=row.uid,
        name=row.name,
        kind=row.kind,
        project=place.project.name,
        dataset=place.path,
        media_type=row.media_type,
        nbytes=there.nbytes if there else row.nbytes,
        sha256=row.sha256,
        created_by=row.created_by,
        created_at=row.created_at,
        run=_run_of(ask, row),
        tags=tags_of(ask, [row])[row.id],
        url=addresses.of_file(ask, row, there),
        in_place=addresses.in_place(ask, row, there),
    )


def _bytes_of_original(ask: Ask, original: t.File, there: t.Reference | None) -> str | None:
    hidden = catalog.shared(ask.session, ask.actor, [original.id])
    return None if hidden else addresses.of_file(ask, original, there)


def _rows(ask: Ask, images: Sequence[t.Image]) -> list[dict[str, Any]]:
    places = policy.places(ask.session, ask.actor, images)
    tags = tags_of(ask, images)
    complete = catalog.complete(ask.session, [image.id for image in images])
    sources = _uids(ask, t.Image, {i.source_id for i in images if i.source_id is not None})
    return [
        {
            "uid": image.uid,
            "name": image.name,
            "kind": image.kind,
            "project": places[image.id].project.name,
            "dataset": places[image.id].path,
            "axes": image.axes,
            "shape": image.shape,
            "dtype": image.dtype,
            "levels": image.levels,
            "scale": image.scale,
            "units": image.units,
            "nbytes": image.nbytes,
            "source": sources.get(image.source_id or 0),
            "created_by": image.created_by,
            "created_at": image.created_at,
            "tags": tags[image.id],
            "completeness": complete.get(image.id),
            "thumbnail": address(ask, image.prefix, "thumbnail.png"),
        }
        for image in images
    ]


def _run_of(ask: Ask, record: t.Record) -> str | None:
    """Return the run that made a record, if the caller reaches it."""
    return record.run_id and _uids(ask, t.Run, {record.run_id}).get(record.run_id)


def _uids(ask: Ask, record: type[Any], ids: set[int]) -> dict[int, str]:
    """Return the names of those of the rows that the caller reaches."""
    if not ids:
        return {}
    seen = policy.reachable(ask.actor, "viewer", record)
    chosen = select(record.id, record.uid).where(record.id.in_(ids), seen)
    return {row.id: row.uid for row in ask.session.execute(chosen)}


def tags_of(ask: Ask, records: Sequence[t.Record]) -> dict[int, list[Tag]]:
    """Return the tags of records, in as many queries for all of them as for one."""
    return shown.tags(ask.session, [record.id for record in records])
