"""Images: search, read, rename; and the files beside them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ..core import policy
from ..core.catalog import images, records
from ..core.search import find
from ..db import tables as t
from . import shapes
from .base import Ask, CidHandler, endpoint
from .search import Paged


class Change(BaseModel):
    """A new name for people, or the uid of another dataset, or both."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = None
    dataset: str | None = None


class Images(CidHandler):
    """images."""

    @endpoint("Find images", who="anyone", query=Paged, answer=shapes.Images, costly=True)
    def get(self, ask: Ask) -> shapes.Images:
        """Only what the caller reaches."""
        page = images.search(ask.session, ask.actor, ask.query.asked(find.IMAGES))
        return shapes.Images(images=shapes.rows(ask, page.images), next=page.next)


class Image(CidHandler):
    """images/{image}."""

    @endpoint("One image", who="viewer", answer=shapes.Image)
    def get(self, ask: Ask, image: str) -> shapes.Image:
        """With fresh addresses of its bytes."""
        return shapes.image(ask, images.get(ask.session, ask.actor, image))

    @endpoint("Rename or move an image", who="contributor", body=Change, answer=shapes.Image)
    def patch(self, ask: Ask, image: str) -> shapes.Image:
        """Its uid and bytes stay."""
        records.change(ask.session, ask.actor, t.Image, image, **ask.body.model_dump())
        return shapes.image(ask, images.get(ask.session, ask.actor, image))


class File(CidHandler):
    """files/{file}."""

    @endpoint("One file", who="viewer", answer=shapes.File)
    def get(self, ask: Ask, file: str) -> shapes.File:
        """With a fresh address of its bytes."""
        return shapes.file(ask, policy.find(ask.session, ask.actor, t.File, file))

    @endpoint("Rename or move a file", who="contributor", body=Change, answer=shapes.File)
    def patch(self, ask: Ask, file: str) -> shapes.File:
        """Its uid and bytes stay."""
        records.change(ask.session, ask.actor, t.File, file, **ask.body.model_dump())
        return shapes.file(ask, policy.find(ask.session, ask.actor, t.File, file))
