"""Masks: what an upload from a microscope must say; checked here without a byte moved."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ..core import policy
from ..core.catalog import masked, masks
from ..db import tables as t
from ..errors import BadInput
from . import mask_shapes as shapes
from .base import Ask, CidHandler, endpoint
from .mask_shapes import Tags, told

MOST_FILES = 10_000
LARGEST = 8 << 20  # bytes of their names
Names = Annotated[list[Annotated[str, Field(max_length=600)]], Field(max_length=MOST_FILES)]


class Document(BaseModel):
    """A mask's document: YAML as `text`, or what it says as `document`; `note`: why it is saved."""

    model_config = ConfigDict(extra="forbid")
    text: str | None = None
    document: shapes.Document | None = None
    note: Annotated[str, Field(max_length=1000)] = ""


class ChangeMask(BaseModel):
    """What shall be otherwise; what a mask asks for is changed by a new version."""

    model_config = ConfigDict(extra="forbid")
    retired: bool


class Check(BaseModel):
    """What would come: `files` by path, with `tags` of all and `tags_of` some, as for a deposit.

    It is held to a mask by name or uid, to that of the `instrument`, or to a draft as `text` or
    `document`. With a project also to its vocabulary.
    """

    model_config = ConfigDict(extra="forbid")
    text: str | None = None
    document: shapes.Document | None = None
    mask: str = Field("", max_length=200)
    instrument: str = Field("", max_length=200)
    project: str | None = None
    files: Names = []
    tags: Tags = {}
    tags_of: dict[str, Tags] = Field({}, max_length=MOST_FILES)


class Masks(CidHandler):
    """masks."""

    @endpoint("All masks", who="anyone", answer=shapes.AllMasks)
    def get(self, ask: Ask) -> shapes.AllMasks:
        """By name, the retired ones too."""
        return shapes.AllMasks(masks=[shapes.mask(row) for row in masks.listing(ask.session)])

    @endpoint("Make a mask", who="staff", body=Document, answer=shapes.Mask, status=201)
    def post(self, ask: Ask) -> shapes.Mask:
        """Its name and its microscope stand in the document."""
        draft = _read(ask)
        return shapes.mask(masks.add(ask.session, ask.actor, draft, ask.body.note))


class CheckMask(CidHandler):
    """masks/check."""

    @endpoint(
        "Check an upload",
        who="anyone",
        body=Check,
        answer=shapes.Checked,
        largest=LARGEST,
        reads=True,
    )
    def post(self, ask: Ask) -> shapes.Checked:
        """What each file would say, and all that would be refused; nothing is changed."""
        new = ask.body
        said = told(new.mask, new.instrument, new.tags, new.tags_of)
        draft = None
        if new.text is not None or new.document is not None:
            try:
                draft = masks.read(ask.session, text=new.text, document=new.document)
            except BadInput as error:
                return shapes.unread(error, new.text, new.document)
        project = new.project and policy.find(ask.session, ask.actor, t.Project, new.project)
        chosen = (
            masked.Chosen(None, draft.instrument, draft.mask)
            if draft
            else masked.choose(ask.session, said)
        )
        if draft and not (new.files or new.tags or new.tags_of):  # the document alone
            return shapes.checked(masked.Judged(chosen, {}), draft)
        judged = masked.judge(ask.session, project or None, chosen, said, new.files)
        return shapes.checked(judged, draft)


class OneMask(CidHandler):
    """masks/{mask}."""

    @endpoint("One mask", who="anyone", answer=shapes.Mask)
    def get(self, ask: Ask, mask: str) -> shapes.Mask:
        """By its uid or its name, with all its versions."""
        return shapes.mask(masks.find(ask.session, mask))

    @endpoint("Save a new version", who="staff", body=Document, answer=shapes.Mask)
    def put(self, ask: Ask, mask: str) -> shapes.Mask:
        """The newest one again makes none."""
        draft = _read(ask)
        return shapes.mask(masks.save(ask.session, ask.actor, mask, draft, ask.body.note))

    @endpoint("Retire a mask", who="staff", body=ChangeMask, answer=shapes.Mask)
    def patch(self, ask: Ask, mask: str) -> shapes.Mask:
        """Or use it again; images keep the version that they passed."""
        return shapes.mask(masks.retire(ask.session, ask.actor, mask, ask.body.retired))


class OneMaskVersion(CidHandler):
    """masks/{mask}/versions/{number}."""

    @endpoint("One version of a mask", who="anyone", answer=shapes.WholeVersion)
    def get(self, ask: Ask, mask: str, number: str) -> shapes.WholeVersion:
        """With its text as it was saved, and what it changed."""
        if not number.isdecimal() or len(number) > 9:
            raise BadInput("number: of a version, 1 or more")
        return shapes.version(masks.version(ask.session, mask, int(number)))


def _read(ask: Ask) -> masks.Draft:
    """Return the document that is saved; who may not save hears that first."""
    policy.require_staff(ask.actor)
    return masks.read(ask.session, text=ask.body.text, document=ask.body.document)
