"""Tags of one record, an image or any other file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ..core import policy
from ..core.catalog import images, tags
from ..db import tables as t
from . import shapes
from .base import Ask, CidHandler, endpoint
from .search import RecordRow, record_row
from .vocabulary import Given, given


class Value(BaseModel):
    """A tag's value, or all its values; numbers may come with a unit: "250 nm"."""

    model_config = ConfigDict(extra="forbid")
    value: Given | list[Given]


class Told(BaseModel):
    """How spellings were taken: `snapped` given -> known, `similar` given -> known ones like it."""

    snapped: dict[str, str]
    similar: dict[str, list[str]]


class Tagged(Told, RecordRow):
    """A record with its tags."""


class TaggedImage(Told, shapes.Image):
    """An image with its tags."""


class TaggedFile(Told, shapes.File):
    """A file with its tags."""


class RecordTag(CidHandler):
    """records/{record}/tags/{key}."""

    @endpoint("Tag a record", who="annotator", body=Value, answer=Tagged)
    def put(self, ask: Ask, record: str, key: str) -> Tagged:
        """This is then all that the tag says; near-duplicates snap to what is known."""
        return _tagged(ask, tags.put(ask.session, ask.actor, record, key, _values(ask)))

    @endpoint("Take a tag off", who="annotator", answer=Tagged)
    def delete(self, ask: Ask, record: str, key: str) -> Tagged:
        """404 when it is not there."""
        return _tagged(ask, tags.remove(ask.session, ask.actor, record, key))


class ImageTag(CidHandler):
    """images/{image}/tags/{key}."""

    @endpoint("Tag an image", who="annotator", body=Value, answer=TaggedImage)
    def put(self, ask: Ask, image: str, key: str) -> TaggedImage:
        """As records/{record}/tags/{key}; answers with the image."""
        done = tags.put(ask.session, ask.actor, image, key, _values(ask))
        return TaggedImage(**_fresh(ask, image).model_dump(), **_told(done))

    @endpoint("Take a tag off", who="annotator", answer=TaggedImage)
    def delete(self, ask: Ask, image: str, key: str) -> TaggedImage:
        """404 when it is not there."""
        done = tags.remove(ask.session, ask.actor, image, key)
        return TaggedImage(**_fresh(ask, image).model_dump(), **_told(done))


class FileTag(CidHandler):
    """files/{file}/tags/{key}."""

    @endpoint("Tag a file", who="annotator", body=Value, answer=TaggedFile)
    def put(self, ask: Ask, file: str, key: str) -> TaggedFile:
        """As records/{record}/tags/{key}; answers with the file."""
        done = tags.put(ask.session, ask.actor, file, key, _values(ask))
        return TaggedFile(**_fresh_file(ask, file).model_dump(), **_told(done))

    @endpoint("Take a tag off", who="annotator", answer=TaggedFile)
    def delete(self, ask: Ask, file: str, key: str) -> TaggedFile:
        """404 when it is not there."""
        done = tags.remove(ask.session, ask.actor, file, key)
        return TaggedFile(**_fresh_file(ask, file).model_dump(), **_told(done))


def _values(ask: Ask) -> list:  # type: ignore[type-arg]
    value = ask.body.value
    return [given(one) for one in value] if isinstance(value, list) else [given(value)]


def _tagged(ask: Ask, done: tags.Tagged) -> Tagged:
    uid = done.record.uid
    ask.session.flush()
    ask.session.expire_all()
    row = record_row(ask, policy.find(ask.session, ask.actor, t.Record, uid))
    return Tagged(**row.model_dump(), **_told(done))


def _told(done: tags.Tagged) -> dict[str, dict[str, str] | dict[str, list[str]]]:
    return {
        "snapped": done.keys.snapped | done.values.snapped,
        "similar": done.keys.similar | done.values.similar,
    }


def _fresh(ask: Ask, uid: str) -> shapes.Image:
    ask.session.flush()
    ask.session.expire_all()
    return shapes.image(ask, images.get(ask.session, ask.actor, uid))


def _fresh_file(ask: Ask, uid: str) -> shapes.File:
    ask.session.flush()
    ask.session.expire_all()
    return shapes.file(ask, policy.find(ask.session, ask.actor, t.File, uid))
