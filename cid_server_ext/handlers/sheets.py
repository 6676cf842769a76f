"""Spreadsheets: the tags of many records out, edited, and back after a preview."""

from __future__ import annotations

import base64
import binascii
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core import policy
from ..core.catalog import csvsheet, edits, sheets
from ..core.search import find
from ..db import tables as t
from ..db.session import reading
from ..errors import BadInput
from ..ingest import workbooks
from .base import Ask, CidHandler, endpoint
from .download import CSV, XLSX, Download

LARGEST = 20 << 20  # bytes of a sheet
ENCODED = LARGEST // 3 * 4 + 4


class Asked(BaseModel):
    """Which records of a project, and as what."""

    model_config = ConfigDict(extra="forbid")
    project: str
    q: str = Field("", max_length=2000)
    dataset: str | None = None
    format: Literal["csv", "xlsx"] = "csv"


class Sheet(BaseModel):
    """A sheet that comes back; `content` is the file in base64."""

    model_config = ConfigDict(extra="forbid")
    project: str
    format: Literal["csv", "xlsx"]
    content: str = Field(max_length=ENCODED)


class SeenSheet(Sheet):
    """The same sheet, and the digest of the preview that was looked at."""

    digest: str = Field(max_length=64)


class Edit(BaseModel):
    """One cell that changes, `before` and `after` as text; `problem` says why it cannot."""

    row: int
    record: str
    name: str
    key: str
    before: str
    after: str
    problem: str | None


class Preview(BaseModel):
    """All changes of a sheet. `new_keys` become terms of the project."""

    rows: int
    changes: list[Edit]
    problems: int
    digest: str
    new_keys: list[str]
    snapped: dict[str, dict[str, str]]
    similar: dict[str, dict[str, list[str]]]


class Sheets(CidHandler):
    """sheets."""

    @endpoint("Tags as a spreadsheet", who="viewer", query=Asked, media=(CSV, XLSX))
    def get(self, ask: Ask) -> Download:
        """One row a record, one column a term; the records that `q` finds, or all."""
        q, found = ask.query, None
        if q.q.strip():
            asked = find.Asked(q.q, q.project, q.dataset)
            found = find.every(ask.session, ask.actor, asked, sheets.MOST_ROWS)
        inside = None if found is not None else q.dataset
        table = sheets.export(ask.session, ask.actor, q.project, inside, found)
        if q.format == "csv":
            return Download(csvsheet.write(table), CSV, f"{q.project}.csv")
        return Download(workbooks.write(table), XLSX, f"{q.project}.xlsx")


class PreviewSheet(CidHandler):
    """sheets/preview."""

    @endpoint(
        "What a sheet would change",
        who="annotator",
        body=Sheet,
        answer=Preview,
        largest=ENCODED + 4096,
    )
    def post(self, ask: Ask) -> Preview:
        """Nothing is written."""
        rows = _rows(ask)
        return _preview(edits.preview(ask.session, ask.actor, ask.body.project, rows))


class ApplySheet(CidHandler):
    """sheets/apply."""

    @endpoint(
        "Apply a sheet", who="annotator", body=SeenSheet, answer=Preview, largest=ENCODED + 4096
    )
    def post(self, ask: Ask) -> Preview:
        """All of it in one step, or 409 when it would no longer be what the preview showed."""
        rows = _rows(ask)
        body = ask.body
        return _preview(edits.apply(ask.session, ask.actor, body.project, rows, body.digest))


def _rows(ask: Ask) -> sheets.Rows:
    """Read the file of whoever may use it, before the request's transaction holds others up."""
    with reading(ask.services.sessions) as session:
        policy.require(session, ask.actor, "annotator", t.Project, ask.body.project)
    try:
        content = base64.b64decode(ask.body.content, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("content: this is no base64") from None
    if ask.body.format == "csv":
        return csvsheet.read(content, sheets.MOST_ROWS)
    return workbooks.read(content, sheets.MOST_ROWS, sheets.MOST_COLUMNS)


def _preview(done: edits.Preview) -> Preview:
    changes = [
        Edit(
            row=one.row,
            record=one.record,
            name=one.name,
            key=one.key,
            before=one.before,
            after=one.after,
            problem=one.problem,
        )
        for one in done.edits
    ]
    return Preview(
        rows=done.rows,
        changes=changes,
        problems=sum(1 for one in changes if one.problem),
        digest=done.digest,
        new_keys=done.new_keys,
        snapped=done.snapped,
        similar=done.similar,
    )
