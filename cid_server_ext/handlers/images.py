"""Images: search, read, rename, tag, lineage; and the files beside them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core import policy
from ..core.catalog import images, tags
from ..db import tables as t
from . import shapes
from .base import Ask, CidHandler, endpoint


class Asked(BaseModel):
    """Search: words and key:value in `q`; newest first; `after` is an earlier page's `next`."""

    model_config = ConfigDict(extra="forbid")
    q: str = Field("", max_length=400)
    project: str | None = None
    dataset: str | None = None
    kind: Literal["image", "labels"] | None = None
    limit: int = Field(50, ge=1, le=images.PAGE)
    after: int | None = Field(None, ge=0)


class Rename(BaseModel):
    """A new name for people."""

    model_config = ConfigDict(extra="forbid")
    name: str


class Value(BaseModel):
    """A tag's value."""

    model_config = ConfigDict(extra="forbid")
    value: str | float


class Images(CidHandler):
    """images."""

    @endpoint("Find images", who="anyone", query=Asked, answer=shapes.Images)
    def get(self, ask: Ask) -> shapes.Images:
        """Only what the caller reaches, newest first."""
        q = ask.query
        asked = images.Search(q.q, q.project, q.dataset, q.kind, q.limit, q.after)
        page = images.search(ask.session, ask.actor, asked)
        return shapes.Images(images=[shapes.row(ask, i) for i in page.images], next=page.next)


class Image(CidHandler):
    """images/{image}."""

    @endpoint("One image", who="viewer", answer=shapes.Image)
    def get(self, ask: Ask, image: str) -> shapes.Image:
        """With fresh addresses of its bytes."""
        return shapes.image(ask, images.get(ask.session, ask.actor, image))

    @endpoint("Rename an image", who="contributor", body=Rename, answer=shapes.Image)
    def patch(self, ask: Ask, image: str) -> shapes.Image:
        """Its uid and bytes stay."""
        return shapes.image(ask, images.rename(ask.session, ask.actor, image, ask.body.name))


class ImageTag(CidHandler):
    """images/{image}/tags/{key}."""

    @endpoint("Tag an image", who="annotator", body=Value, answer=shapes.Image)
    def put(self, ask: Ask, image: str, key: str) -> shapes.Image:
        """Replace an earlier value."""
        tags.put(ask.session, ask.actor, image, key, ask.body.value)
        return _fresh(ask, image)

    @endpoint("Take a tag off", who="annotator", answer=shapes.Image)
    def delete(self, ask: Ask, image: str, key: str) -> shapes.Image:
        """404 when it is not there."""
        tags.remove(ask.session, ask.actor, image, key)
        return _fresh(ask, image)


class Lineage(CidHandler):
    """images/{image}/lineage."""

    @endpoint("What it was made from, what was made from it", who="viewer", answer=shapes.Lineage)
    def get(self, ask: Ask, image: str) -> shapes.Lineage:
        """One step each way, through runs."""
        row = images.get(ask.session, ask.actor, image)
        return shapes.Lineage(
            parents=[shapes.row(ask, i) for i in images.parents(ask.session, ask.actor, row)],
            children=[shapes.row(ask, i) for i in images.children(ask.session, ask.actor, row)],
        )


class File(CidHandler):
    """files/{file}."""

    @endpoint("One file", who="viewer", answer=shapes.File)
    def get(self, ask: Ask, file: str) -> shapes.File:
        """With a fresh address of its bytes."""
        return shapes.file(ask, policy.find(ask.session, ask.actor, t.File, file))


def _fresh(ask: Ask, uid: str) -> shapes.Image:
    ask.session.flush()
    ask.session.expire_all()
    return shapes.image(ask, images.get(ask.session, ask.actor, uid))
