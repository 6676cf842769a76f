"""Runs: submitted and watched by people, served by their workers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core.catalog import deposits
from ..core.provenance import record
from ..core.queue.turns import URGENT, Turn
from ..core.runs import preflight, runs, submit
from ..core.steps import plan
from ..errors import BadInput
from . import deposit_shapes, run_shapes
from .base import Ask, CidHandler, endpoint
from .deposits import LISTED, Declared
from .paging import After, number, token
from .reading import Moment

State = Literal["queued", "starting", "running", "committing", "done", "failed", "cancelled"]


class Step(BaseModel):
    """A template that follows; `take` says by role: "labels:NAME", "images:NAME" or "input"."""

    model_config = ConfigDict(extra="forbid")
    template: str
    parameters: dict[str, Any] = {}
    take: dict[str, str] = {}


class Submit(BaseModel):
    """A template, the images it runs on (one run each) or a query for them, its parameters.

    `inputs` are further images by their role in the template, the same for all. `priority` is
    among the team's runs, above 0 for staff only; nothing starts before `not_before`. `then`
    follows each run that is done, one step after the other.
    """

    model_config = ConfigDict(extra="forbid")
    template: str
    images: list[str] | None = None
    query: str | None = None
    parameters: dict[str, Any] = {}
    inputs: dict[str, list[str]] = {}
    priority: int = Field(0, ge=-URGENT, le=URGENT)
    not_before: Moment | None = None
    then: list[Step] = Field([], max_length=plan.MOST)

    def steps(self, ask: Ask) -> list[dict[str, Any]]:
        """Return the steps, checked."""
        asked = [plan.Step(one.template, one.parameters, one.take) for one in self.then]
        return plan.checked(ask.session, ask.actor, self.template, asked)

    @property
    def chosen(self) -> list[str] | str:
        """The uids or the query; raises BadInput where there are both or neither."""
        if (self.images is None) == (self.query is None):
            raise BadInput("images: a list of uids, or a query instead")
        return self.images if self.images is not None else str(self.query)


class Asked(BaseModel):
    """Which runs; `after` is an earlier page's `next`."""

    model_config = ConfigDict(extra="forbid")
    batch: str | None = None
    project: str | None = None
    state: State | None = None
    limit: int = Field(50, ge=1, le=200)
    after: After = None


class Told(BaseModel):
    """How far a worker is; `tile` of `tiles` in the cell that runs, `memory` in bytes."""

    model_config = ConfigDict(extra="forbid")
    cell: int = Field(0, ge=0)
    cells: int = Field(0, ge=0)
    text: str = ""
    tile: int = Field(0, ge=0)
    tiles: int = Field(0, ge=0)
    memory: int = Field(0, ge=0, lt=2**53)


class Files(BaseModel):
    """The files a run will upload."""

    model_config = ConfigDict(extra="forbid")
    files: list[Declared]


class Runs(CidHandler):
    """runs."""

    @endpoint("Runs I may see", who="anyone", query=Asked, answer=run_shapes.Runs)
    def get(self, ask: Ask) -> run_shapes.Runs:
        """Newest first; the runs of one batch in the order of their submit."""
        q = ask.query
        rows = runs.listing(
            ask.session,
            ask.actor,
            batch=q.batch,
            project=q.project,
            state=q.state,
            limit=q.limit,
            after=number(q.after),
        )
        more = len(rows) == q.limit
        return run_shapes.Runs(
            runs=run_shapes.several(ask, rows), next=token(rows[-1].id if more else None)
        )

    @endpoint("Run a template", who="contributor", body=Submit, answer=run_shapes.Batch, status=201)
    def post(self, ask: Ask) -> run_shapes.Batch:
        """All images or none; one run for each."""
        new = ask.body
        turn = Turn(new.priority, new.not_before)
        rows = submit.submit(
            ask.session,
            ask.actor,
            new.template,
            new.chosen,
            new.parameters,
            new.inputs,
            turn,
            new.steps(ask),
        )
        record.begun_with(ask.session, rows, ask.agent)
        rows = runs.listing(ask.session, ask.actor, batch=rows[0].batch)
        ask.after.append(ask.services.queued)
        return run_shapes.Batch(batch=rows[0].batch, runs=run_shapes.several(ask, rows))


class Preflight(CidHandler):
    """runs/preflight."""

    @endpoint(
        "What would become of a run",
        who="anyone",
        body=Submit,
        answer=run_shapes.Preflight,
        reads=True,
    )
    def post(self, ask: Ask) -> run_shapes.Preflight:
        """Image by image; what is wrong is told, with what to do, and nothing is queued."""
        new = ask.body
        new.steps(ask)
        found = preflight.preflight(
            ask.session, ask.actor, new.template, new.chosen, new.parameters, new.inputs
        )
        return run_shapes.preflight(found)


class Run(CidHandler):
    """runs/{run}."""

    @endpoint("One run", who="viewer", answer=run_shapes.Run, passing=("eta", "waits"))
    def get(self, ask: Ask, run: str) -> run_shapes.Run:
        """With what it wrote, and when it will end."""
        return run_shapes.one(ask, runs.get(ask.session, ask.actor, run))


class Cancel(CidHandler):
    """runs/{run}/cancel."""

    @endpoint("Stop a run", who="owner", answer=run_shapes.Run)
    def post(self, ask: Ask, run: str) -> run_shapes.Run:
        """A queued run ends now, another at its worker's next word."""
        return run_shapes.one(ask, runs.cancel(ask.session, ask.actor, run))


class Work(CidHandler):
    """runs/{run}/work."""

    @endpoint("What to execute", who="run", answer=run_shapes.Work)
    def get(self, ask: Ask, run: str) -> run_shapes.Work:
        """For the run's own worker."""
        return run_shapes.work(ask, runs.work(ask.session, ask.actor, run))


class Progress(CidHandler):
    """runs/{run}/progress."""

    @endpoint("How far a run is", who="run", body=Told, answer=run_shapes.Going)
    def post(self, ask: Ask, run: str) -> run_shapes.Going:
        """The answer says whether to stop."""
        told = runs.Told(**ask.body.model_dump())
        return run_shapes.Going(cancel=runs.progress(ask.session, ask.actor, run, told))


class RunDeposits(CidHandler):
    """runs/{run}/deposits."""

    @endpoint(
        "Bring a run's output",
        who="run",
        body=Files,
        answer=deposit_shapes.Deposit,
        status=201,
        largest=LISTED,
    )
    def post(self, ask: Ask, run: str) -> deposit_shapes.Deposit:
        """Its room was reserved at submit."""
        row = runs.work(ask.session, ask.actor, run)
        declared = [file.model_dump() for file in ask.body.files]
        opened = deposits.open_for_run(ask.session, ask.actor, row, declared)
        return deposit_shapes.deposit(ask, opened)
