"""What is told of a deposit: how far it is, what it became, what was there, what was unreadable."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import BaseModel

from ..core import policy
from ..core.catalog import held
from ..core.ledger import allocations
from ..db import tables as t
from ..storage.roots import staging_prefix
from ..storage.tickets import Right
from .ask import Ask
from .mask_shapes import Wrong


class There(BaseModel):
    """A declared file, or OME-Zarr, whose bytes `record` holds: it need not be sent.

    `images` were read from it.
    """

    path: str
    record: str
    name: str
    kind: str
    project: str
    dataset: str
    images: list[str]


class Problem(BaseModel):
    """A file that could not be read as an image; it is kept as `file`."""

    path: str
    file: str
    error: str
    message: str


class Checked(BaseModel):
    """A file that was checked, or files that belong together.

    verdict: good, look (`findings` say at what), unreadable, file (no reader knows it), there (as
    `record`). Each of `images` is as it would be, with `quality`, `completeness` and what is
    `missing`, with the reasons.
    """

    path: str
    verdict: str
    nbytes: int
    findings: list[str]
    images: list[dict[str, Any]]
    record: str | None


class Report(BaseModel):
    """What a deposit would become: the first 5,000 files, `counts` of all, and `nbytes` in all.

    `masks` are those of the microscopes that the files name, where no mask was named; `wrong` is
    what they have against it: until that is said, it cannot be committed.
    """

    files: list[Checked]
    counts: dict[str, int]
    nbytes: int
    masks: list[str] = []
    wrong: list[Wrong] = []


class Deposit(BaseModel):
    """Bytes on their way in; PUT each file below `upload` that is not `there`, then commit.

    `progress` has `fraction`, `text`, `files` (at most 200, each with path, state and fraction) and
    `counts` of all by state. `kept` are the `files` that are no originals. `warning` says so when
    the project is nearly full. `report` is there once it was checked; then nothing more is sent.
    """

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
    kept: list[str]
    there: list[There]
    problems: list[Problem]
    expires_at: dt.datetime
    warning: str | None
    report: Report | None


def deposit(ask: Ask, row: t.Deposit) -> Deposit:
    """Fill a deposit; the write ticket is there only while it and its project are open."""
    upload = None
    report = row.results.get("report")
    if row.state == "open" and row.project.state == "active" and report is None:
        limit = sum(int(file["nbytes"]) for file in row.declared if "held" not in file)
        right = Right(f"{staging_prefix(row.uid)}/in", "w", limit)
        upload = f"{ask.services.prefix}data/{ask.ticket(right)}/"
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
        kept=row.results.get("kept", []),
        there=_there(ask, row),
        problems=[Problem(**problem) for problem in row.results.get("problems", [])],
        expires_at=row.expires_at,
        warning=allocations.warning(ask.session, row.project_id),
        report=report and Report(**report),
    )


def _there(ask: Ask, row: t.Deposit) -> list[There]:
    """Say what is there already, as far as the caller reads it now."""
    if row.state == "done":
        uids = {told["path"]: told["record"] for told in row.results.get("there", [])}
        found = held.among(ask.session, ask.actor, uids)
    else:
        found = held.found(ask.session, ask.actor, row.declared)
    places = policy.places(ask.session, ask.actor, [one.file for one in found])
    return [
        There(
            path=one.path,
            record=one.file.uid,
            name=one.file.name,
            kind=one.file.kind,
            project=places[one.file.id].project.name,
            dataset=places[one.file.id].path,
            images=[image.uid for image in one.images],
        )
        for one in found
    ]
