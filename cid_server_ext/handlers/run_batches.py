"""Batches of runs: listed, looked at, submitted from a table of images and parameters."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..core.estimate import eta
from ..core.provenance import record
from ..core.queue import waiting
from ..core.queue.turns import URGENT, Turn
from ..core.runs import batches, runs, table
from . import estimate_shapes, run_shapes
from .base import Ask, CidHandler, endpoint
from .paging import After, number, token
from .reading import Moment

LARGEST = 8 << 20  # bytes of a body with a table


class Asked(BaseModel):
    """Whose; `after` is an earlier page's `next`."""

    model_config = ConfigDict(extra="forbid")
    project: str | None = None
    mine: bool = False
    limit: int = Field(50, ge=1, le=200)
    after: After = None


class Which(BaseModel):
    """How many kinds of failures to tell."""

    model_config = ConfigDict(extra="forbid")
    failures: int = Field(batches.FAILURES, ge=0, le=batches.FAILURES)


class Table(BaseModel):
    """A table as CSV text; its first column is uid, name or path, the others parameters or roles.

    `project` is where names and paths are looked for. `parameters` and `inputs`, further images by
    role, hold for all rows that say nothing else; `priority` and `not_before` as for `runs`.
    """

    model_config = ConfigDict(extra="forbid")
    template: str
    csv: str
    project: str | None = None
    parameters: dict[str, Any] = {}
    inputs: dict[str, list[str]] = {}
    priority: int = Field(0, ge=-URGENT, le=URGENT)
    not_before: Moment | None = None


class Failure(BaseModel):
    """Runs that failed in the same way; `run` is the first of them, `message` its own."""

    error: str
    cell: int | None
    count: int
    run: str
    message: str


class Summary(BaseModel):
    """The runs of one submit, counted; `fraction` of the work is done.

    `paused` of the queued ones wait until somebody resumes them.
    """

    uid: str
    template: run_shapes.TemplateName
    project: str
    person: str
    state: str
    runs: int
    counts: dict[str, int]
    paused: int
    fraction: float
    created_at: dt.datetime
    ended_at: dt.datetime | None


class Batch(Summary):
    """One batch, why runs of it failed, when the last one will end, and what it waits for."""

    failures: list[Failure]
    eta: estimate_shapes.Eta | None
    waits: str | None


class Batches(BaseModel):
    """Batches; pass `next` as `after` for older ones."""

    batches: list[Summary]
    next: str | None


class Cell(BaseModel):
    """A cell that is not right; rows count from 1, the header's."""

    row: int
    column: str
    message: str


class Seen(BaseModel):
    """What a table would submit: taken where nothing is wrong."""

    template: run_shapes.TemplateName
    rows: int
    ready: int
    wrong: list[Cell]


class RunBatches(CidHandler):
    """batches."""

    @endpoint("Batches that I may see", who="anyone", query=Asked, answer=Batches)
    def get(self, ask: Ask) -> Batches:
        """Newest first, each counted by the state of its runs."""
        q = ask.query
        rows = batches.listing(
            ask.session,
            ask.actor,
            project=q.project,
            mine=q.mine,
            limit=q.limit,
            after=number(q.after),
        )
        more = rows[-1].first.id if len(rows) == q.limit else None
        return Batches(batches=[Summary(**_summary(row)) for row in rows], next=token(more))

    @endpoint(
        "Run a template on a table",
        who="contributor",
        body=Table,
        answer=run_shapes.Batch,
        status=201,
        largest=LARGEST,
    )
    def post(self, ask: Ask) -> run_shapes.Batch:
        """All rows or none; one run for each. A refusal names every wrong cell."""
        rows = table.queue(ask.session, ask.actor, _given(ask.body))
        record.begun_with(ask.session, rows, ask.agent)
        rows = runs.listing(ask.session, ask.actor, batch=rows[0].batch)
        ask.after.append(ask.services.queued)
        return run_shapes.Batch(batch=rows[0].batch, runs=run_shapes.several(ask, rows))


class PreviewBatch(CidHandler):
    """batches/preview."""

    @endpoint(
        "What a table would run",
        who="anyone",
        body=Table,
        answer=Seen,
        reads=True,
        largest=LARGEST,
    )
    def post(self, ask: Ask) -> Seen:
        """Each wrong cell with its row and column; nothing is queued."""
        found = table.read(ask.session, ask.actor, _given(ask.body))
        row = found.template
        bad = {cell.row for cell in found.wrong}
        return Seen(
            template=run_shapes.template_name(row),
            rows=found.rows,
            ready=sum(line.row not in bad for line in found.lines),
            wrong=[Cell(row=w.row, column=w.column, message=w.message) for w in found.wrong],
        )


class OneRunBatch(CidHandler):
    """batches/{batch}."""

    @endpoint("One batch", who="viewer", query=Which, answer=Batch)
    def get(self, ask: Ask, batch: str) -> Batch:
        """Its runs by state, and what failed, grouped by error."""
        return one(ask, batch, ask.query.failures)


def one(ask: Ask, uid: str, failures: int = batches.FAILURES) -> Batch:
    """Fill one batch."""
    row = batches.get(ask.session, ask.actor, uid)
    told = [
        Failure(error=f.error, cell=f.cell, count=f.count, run=f.run, message=f.message)
        for f in row.failures[:failures]
    ]
    ends = estimate_shapes.eta(eta.of_batch(ask.session, uid))
    waits = waiting.of_batch(ask.session, uid)
    return Batch(**_summary(row), failures=told, waits=waits, eta=ends)


def _summary(row: batches.Batch) -> dict[str, Any]:
    return {
        "uid": row.uid,
        "template": run_shapes.template_name(row.first.template),
        "project": row.first.project.name,
        "person": row.first.person,
        "state": row.state,
        "runs": row.runs,
        "counts": dict(row.counts),
        "paused": row.paused,
        "fraction": round(row.fraction, 4),
        "created_at": row.first.created_at,
        "ended_at": row.ended_at,
    }


def _given(body: Table) -> table.Given:
    turn = Turn(body.priority, body.not_before)
    return table.Given(body.template, body.csv, body.project, body.parameters, body.inputs, turn)
