"""What is told of masks, and what is said of uploads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from pydantic import BaseModel, Field

from ..core.catalog import mask_changes, mask_text, masked, masks
from ..core.catalog.typed import shown
from ..db import tables as t
from ..errors import BadInput
from . import shapes
from .vocabulary import Given, given

# what is wrong in one is told by field, so it is not read here
Document = Annotated[dict[str, Any], Field(description="as docs/staff/mask.schema.json has it")]
Values = Annotated[list[Given], Field(max_length=100)]
Tags = Annotated[dict[str, Given | Values], Field(max_length=100)]


class Scope(BaseModel):
    """The microscope of a mask."""

    uid: str
    name: str


class Version(BaseModel):
    """One version of a mask."""

    uid: str
    number: int
    note: str
    person: str
    created_at: dt.datetime


class Change(BaseModel):
    """What one version changed: `field` "" is of the mask itself, `key` of which of its keys."""

    field: str
    key: str
    what: str
    before: Any
    after: Any


class WholeVersion(Version):
    """With its text as it was saved, what that means, and what it changed."""

    text: str
    document: dict[str, Any]
    changes: list[Change]


class Mask(BaseModel):
    """A mask with its newest version whole, and all its versions, the newest first."""

    uid: str
    name: str
    instrument: Scope | None
    retired: bool
    version: WholeVersion
    versions: list[Version]


class AllMasks(BaseModel):
    """Masks by name."""

    masks: list[Mask]


class Wrong(BaseModel):
    """What is wrong with a field: in a line of the document, or for a file, "" for all."""

    field: str
    file: str
    line: int | None
    message: str


class Said(BaseModel):
    """What a file would be tagged with; source: person, file, instrument or mask."""

    key: str
    values: list[str]
    source: str


class CheckedFile(BaseModel):
    """What one image would say, as far as it would be taken.

    `asks` are the fields that somebody has to fill, when it is good but for them.
    """

    path: str
    tags: list[Said]
    good: bool
    asks: list[str]


class Checked(BaseModel):
    """What would come of an upload; `wrong` is empty when it would be taken.

    `text` and `document` are both forms of a draft, or of the mask that was used; null without one.
    `mask` is the version that was used; null for a draft, and where no mask applies.
    """

    mask: shapes.Mask | None
    text: str | None
    document: dict[str, Any] | None
    wrong: list[Wrong]
    files: list[CheckedFile]


def mask(row: t.Mask) -> Mask:
    """Fill a mask."""
    return Mask(
        uid=row.uid,
        name=row.name,
        instrument=row.instrument and Scope(uid=row.instrument.uid, name=row.instrument.name),
        retired=row.retired,
        version=version(masks.current(row)),
        versions=[Version(**_version(one)) for one in reversed(row.versions)],
    )


def version(row: t.MaskVersion) -> WholeVersion:
    """Fill a version, with what it changed of the one before."""
    before = next((one for one in row.mask.versions if one.number == row.number - 1), None)
    changes = mask_changes.between(before.body if before else {}, row.body)
    return WholeVersion(
        **_version(row),
        text=row.text,
        document=row.body,
        changes=[Change(**one) for one in changes],
    )


def told(
    mask: str, instrument: str, tags: Mapping[str, Any], tags_of: Mapping[str, Any]
) -> masked.Told:
    """Return what is said of an upload as the core takes it."""
    by_path = {path: _given(of) for path, of in tags_of.items()}
    return masked.Told(mask, instrument, _given(tags), by_path)


def checked(judged: masked.Judged, draft: masks.Draft | None) -> Checked:
    """Fill what would come of an upload."""
    row = judged.chosen.version
    return Checked(
        mask=shapes.mask(row),
        text=draft.text if draft else row and row.text,
        document=draft.mask.body if draft else row and row.body,
        wrong=[Wrong(**one) for one in judged.wrong[: masked.SHOWN]],
        files=[
            CheckedFile(
                path=path,
                tags=[
                    Said(key=one.key, values=[shown(v) for v in one.values], source=one.source)
                    for one in found.said
                ],
                good=not found.wrong,
                asks=found.asks,
            )
            for path, found in list(judged.files.items())[: masked.SHOWN]
            if path
        ],
    )


def unread(error: BadInput, text: str | None, document: dict[str, Any] | None) -> Checked:
    """Say why a draft cannot be used, with both its forms as far as it can be read."""
    plain = {"field": "", "file": "", "line": None, "message": str(error)}
    wrong = [Wrong(**one) for one in error.fields or [plain]]
    if document is not None:
        text = mask_text.written(document)
    elif text is not None:
        with suppress(BadInput):
            told, _ = mask_text.read(text)
            document = told if isinstance(told, dict) else None
    return Checked(mask=None, text=text, document=document, wrong=wrong, files=[])


def _given(tags: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: [given(one) for one in said] if isinstance(said, list) else given(said)
        for key, said in tags.items()
    }


def _version(row: t.MaskVersion) -> dict[str, Any]:
    named = ("uid", "number", "note", "person", "created_at")
    return {key: getattr(row, key) for key in named}
