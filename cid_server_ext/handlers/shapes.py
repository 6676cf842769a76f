"""What the API answers: one model a record, and the functions that fill them.

Bytes are never in an answer; a record carries the addresses of its bytes, each with a fresh ticket.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

from ..core import policy
from ..core.catalog import projects
from ..core.people import members
from ..db import tables as t
from ..storage.roots import staging_prefix
from ..storage.tickets import Right
from .base import Ask


class Who(BaseModel):
    """The caller."""

    name: str
    staff: bool
    guest: bool
    writes: bool
    run: str | None
    home: str


class Member(BaseModel):
    """A person's role in a project."""

    person: str
    role: str
    ends_at: dt.datetime | None


class Dataset(BaseModel):
    """A folder; `path` is "" for the project's own."""

    uid: str
    path: str


class Allocation(BaseModel):
    """Bytes."""

    limit: int
    used: int
    reserved: int


class Project(BaseModel):
    """A project with the caller's role in it."""

    uid: str
    name: str
    title: str
    team: str
    state: str
    role: str | None
    allocation: Allocation
    datasets: list[Dataset]
    members: list[Member]


class Projects(BaseModel):
    """The caller's projects by name."""

    projects: list[Project]


class Tag(BaseModel):
    """One typed value and where it came from."""

    key: str
    value: str
    number: float | None
    unit: str
    kind: str
    source: str
    set_by: str


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
    thumbnail: str


class Original(BaseModel):
    """The file an image was read from, kept as it came."""

    uid: str
    name: str
    nbytes: int
    sha256: str


class Image(Row):
    """An image with the addresses of its bytes; `data` ends in a slash and is an OME-Zarr 0.5."""

    channels: list[dict[str, Any]]
    sha256: str
    run: str | None
    original: Original | None
    data: str
    original_url: str | None


class Images(BaseModel):
    """A page; pass `next` as `after` for the following one."""

    images: list[Row]
    next: int | None


class Lineage(BaseModel):
    """What an image was made from, and what was made from it."""

    parents: list[Row]
    children: list[Row]


class File(BaseModel):
    """A file with the address of its bytes."""

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
    url: str


class Deposit(BaseModel):
    """Bytes on their way in; PUT each file below `upload`, then commit."""

    uid: str
    kind: str
    state: str
    project: str
    dataset: str
    upload: str | None
    progress: dict[str, Any]
    error: dict[str, Any] | None
    images: list[str]
    files: list[str]
    expires_at: dt.datetime


def project(ask: Ask, row: t.Project) -> Project:
    """Fill a project."""
    return Project(
        uid=row.uid,
        name=row.name,
        title=row.title,
        team=row.team.name,
        state=row.state,
        role=policy.role_in(ask.session, ask.actor, row),
        allocation=allocation(row.allocation),
        datasets=[dataset(d) for d in projects.datasets(ask.session, row)],
        members=[
            Member(person=m.person, role=m.role, ends_at=m.ends_at)
            for m in members.members(ask.session, row)
        ],
    )


def allocation(row: t.Allocation) -> Allocation:
    """Fill an allocation."""
    return Allocation(limit=row.limit, used=row.used, reserved=row.reserved)


def dataset(row: t.Dataset) -> Dataset:
    """Fill a dataset."""
    return Dataset(uid=row.uid, path=row.path)


def row(ask: Ask, image: t.Image) -> Row:
    """Fill an image of a list."""
    return Row(**_row(ask, image))


def image(ask: Ask, image: t.Image) -> Image:
    """Fill an image whole."""
    original = image.original
    run = ask.session.get(t.Run, image.run_id) if image.run_id else None
    return Image(
        **_row(ask, image),
        channels=image.channels,
        sha256=image.sha256,
        run=run and run.uid,
        original=original
        and Original(
            uid=original.uid,
            name=original.name,
            nbytes=original.nbytes,
            sha256=original.sha256,
        ),
        data=address(ask, image.prefix, "image.ome.zarr/"),
        original_url=original and address(ask, original.prefix, quote(original.name)),
    )


def file(ask: Ask, row: t.File) -> File:
    """Fill a file."""
    run = ask.session.get(t.Run, row.run_id) if row.run_id else None
    return File(
        uid=row.uid,
        name=row.name,
        kind=row.kind,
        project=row.project.name,
        dataset=row.dataset.path,
        media_type=row.media_type,
        nbytes=row.nbytes,
        sha256=row.sha256,
        created_by=row.created_by,
        created_at=row.created_at,
        run=run and run.uid,
        url=address(ask, row.prefix, quote(row.name)),
    )


def deposit(ask: Ask, row: t.Deposit) -> Deposit:
    """Fill a deposit; the write ticket is there only while it is open."""
    upload = None
    if row.state == "open":
        limit = sum(int(file["nbytes"]) for file in row.declared)
        right = Right(f"{staging_prefix(row.uid)}/in", "w", limit)
        upload = f"{ask.services.prefix}data/{ask.services.data.signer.sign(right)}/"
    return Deposit(
        uid=row.uid,
        kind=row.kind,
        state=row.state,
        project=row.project.name,
        dataset=row.dataset.path,
        upload=upload,
        progress=row.progress,
        error=row.error,
        images=row.results.get("images", []),
        files=row.results.get("files", []),
        expires_at=row.expires_at,
    )


def address(ask: Ask, prefix: str, name: str) -> str:
    """Return the URL path of one object below a prefix, with a read ticket for the prefix."""
    ticket = ask.services.data.signer.sign(Right(prefix, "r"))
    return f"{ask.services.prefix}data/{ticket}/{name}"


def _row(ask: Ask, image: t.Image) -> dict[str, Any]:
    return {
        "uid": image.uid,
        "name": image.name,
        "kind": image.kind,
        "project": image.project.name,
        "dataset": image.dataset.path,
        "axes": image.axes,
        "shape": image.shape,
        "dtype": image.dtype,
        "levels": image.levels,
        "scale": image.scale,
        "units": image.units,
        "nbytes": image.nbytes,
        "source": image.source and image.source.uid,
        "created_by": image.created_by,
        "created_at": image.created_at,
        "tags": [_tag(tag) for tag in image.tags],
        "thumbnail": address(ask, image.prefix, "thumbnail.png"),
    }


def _tag(tag: t.Tag) -> Tag:
    return Tag(
        key=tag.term.key,
        value=tag.shown,
        number=tag.number,
        unit=tag.term.unit,
        kind=tag.term.kind,
        source=tag.source,
        set_by=tag.set_by,
    )
