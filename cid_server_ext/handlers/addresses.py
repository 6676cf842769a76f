"""Where the bytes of a record are: addresses with a fresh ticket, and what stays in place.

`there` is the reference of a file whose bytes stay where they were, or None: most are ours.
"""

from __future__ import annotations

from urllib.parse import quote

from pydantic import BaseModel

from ..core import policy
from ..core.catalog import references
from ..core.catalog.commits import DIRECTORY
from ..db import tables as t
from ..storage.inplace import Place
from ..storage.tickets import Right
from .base import Ask


class InPlace(BaseModel):
    """Bytes that stay where they were: how they are there; where, for members of their project.

    state: ok, changed, moved or missing, with a reason. hashed: every byte of it was read once.
    """

    where: str | None
    state: str
    reason: str
    hashed: bool


def address(ask: Ask, prefix: str, name: str, place: Place | None = None) -> str:
    """Return the URL path of one object below a prefix, with a read ticket for the prefix.

    place: where its bytes lie, if not there.
    """
    return f"{ask.services.prefix}data/{ask.ticket(Right(prefix, 'r', place=place))}/{name}"


def pixels(ask: Ask, image: t.Image, there: t.Reference | None) -> str:
    """Return the address of an image's OME-Zarr; `there` is that of its original."""
    return address(ask, image.prefix, "image.ome.zarr/", _place(ask, image, there))


def of_file(ask: Ask, file: t.File, there: t.Reference | None) -> str | None:
    """Return the address of a file's bytes; of a folder none: POST downloads gives all of it."""
    folder = file.media_type == DIRECTORY
    return (
        None if folder else address(ask, file.prefix, quote(file.stored), _place(ask, file, there))
    )


def in_place(ask: Ask, file: t.File, there: t.Reference | None) -> InPlace | None:
    """Say how bytes are there that stay where they were."""
    if there is None:
        return None
    at_home = ask.session.scalar(
        policy.visible(ask.actor, t.Project).where(t.Project.id == file.project_id)
    )
    return InPlace(
        where=f"{there.root}:{there.path}" if at_home else None,
        state=there.state,
        reason=there.reason,
        hashed=there.hashed_at is not None,
    )


def _place(ask: Ask, record: t.Record, there: t.Reference | None) -> Place | None:
    where = None if there is None else references.where(ask.session, record)
    return where and Place(where.root, where.path, where.form, where.nbytes, where.mtime_ns)
