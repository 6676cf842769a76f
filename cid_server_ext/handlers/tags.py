"""Tags of one record, an image or any other file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ..core.catalog import images, tags
from . import shapes
from .base import Ask, CidHandler, endpoint
from .vocabulary import Given, given


class Value(BaseModel):
    """A tag's value, or all its values; numbers may come with a unit: "250 nm"."""

    model_config = ConfigDict(extra="forbid")
    value: Given | list[Given]


class Told(BaseModel):
    """How spellings were taken: `snapped` given -> known, `similar` given -> known ones like it."""

    snapped: dict[str, str]
    similar: dict[str, list[str]]


class Tagged(Told):
    """A record's tags."""

    record: str
    name: str
    kind: str
    tags: list[shapes.Tag]


class TaggedImage(Told, shapes.Image):
    """An image with its tags."""


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


def _values(ask: Ask) -> list:  # type: ignore[type-arg]
    value = ask.body.value
    return [given(one) for one in value] if isinstance(value, list) else [given(value)]


def _tagged(ask: Ask, done: tags.Tagged) -> Tagged:
    record = done.record
    ask.session.flush()
    ask.session.refresh(record, ["tags"])
    shown = shapes.tags_of(ask, [record])[record.id]
    return Tagged(record=record.uid, name=record.name, kind=record.kind, tags=shown, **_told(done))


def _told(done: tags.Tagged) -> dict[str, dict[str, str] | dict[str, list[str]]]:
    return {
        "snapped": done.keys.snapped | done.values.snapped,
        "similar": done.keys.similar | done.values.similar,
    }


def _fresh(ask: Ask, uid: str) -> shapes.Image:
    ask.session.flush()
    ask.session.expire_all()
    return shapes.image(ask, images.get(ask.session, ask.actor, uid))
