"""Runs and batches that are not over: paused, resumed, cancelled, tried again, hurried."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ..core.queue import steering, turns
from ..core.queue.steering import Steered
from . import run_shapes
from .base import Ask, CidHandler, endpoint


class Priority(BaseModel):
    """How urgent: a team's runs go by it, then in the order of their submit."""

    model_config = ConfigDict(extra="forbid")
    priority: int = Field(ge=-turns.URGENT, le=turns.URGENT)


class LeftRun(BaseModel):
    """A run to which nothing was done."""

    run: str
    state: str
    reason: str


class SteeredBatch(BaseModel):
    """To how many runs it was done, and to which of those meant it was not."""

    batch: str
    changed: int
    left: list[LeftRun]


class Pause(CidHandler):
    """runs/{run}/pause."""

    @endpoint("Let a run wait", who="owner", answer=run_shapes.Run)
    def post(self, ask: Ask, run: str) -> run_shapes.Run:
        """A queued one, until it is resumed."""
        return run_shapes.one(ask, steering.pause(ask.session, ask.actor, run))


class Resume(CidHandler):
    """runs/{run}/resume."""

    @endpoint("Let a run go on", who="owner", answer=run_shapes.Run)
    def post(self, ask: Ask, run: str) -> run_shapes.Run:
        """One that was paused."""
        return run_shapes.one(ask, steering.resume(ask.session, ask.actor, run))


class Retry(CidHandler):
    """runs/{run}/retry."""

    @endpoint("Try a run again", who="owner", answer=run_shapes.Run)
    def post(self, ask: Ask, run: str) -> run_shapes.Run:
        """One that failed: the same version, parameters and inputs."""
        row = steering.retry(ask.session, ask.actor, run)
        ask.after.append(ask.services.queued)
        return run_shapes.one(ask, row)


class PauseBatch(CidHandler):
    """batches/{batch}/pause."""

    @endpoint("Let a batch wait", who="owner", answer=SteeredBatch)
    def post(self, ask: Ask, batch: str) -> SteeredBatch:
        """What is queued of it; what has begun goes on."""
        return _told(steering.pause_batch(ask.session, ask.actor, batch))


class ResumeBatch(CidHandler):
    """batches/{batch}/resume."""

    @endpoint("Let a batch go on", who="owner", answer=SteeredBatch)
    def post(self, ask: Ask, batch: str) -> SteeredBatch:
        """What was paused of it."""
        done = steering.resume_batch(ask.session, ask.actor, batch)
        ask.after.append(ask.services.queued)
        return _told(done)


class CancelBatch(CidHandler):
    """batches/{batch}/cancel."""

    @endpoint("Stop a batch", who="owner", answer=SteeredBatch)
    def post(self, ask: Ask, batch: str) -> SteeredBatch:
        """Queued runs end now, others at their worker's next word."""
        return _told(steering.cancel_batch(ask.session, ask.actor, batch))


class RetryBatch(CidHandler):
    """batches/{batch}/retry."""

    @endpoint("Try again what failed", who="owner", answer=SteeredBatch)
    def post(self, ask: Ask, batch: str) -> SteeredBatch:
        """What may end otherwise; `left` says which would not."""
        done = steering.retry_batch(ask.session, ask.actor, batch)
        ask.after.append(ask.services.queued)
        return _told(done)


class PriorityOfBatch(CidHandler):
    """batches/{batch}/priority."""

    @endpoint("How urgent a batch is", who="owner", body=Priority, answer=SteeredBatch)
    def post(self, ask: Ask, batch: str) -> SteeredBatch:
        """From -10 to 10 among the team's; above 0 staff only."""
        priority = ask.body.priority
        return _told(steering.set_priority(ask.session, ask.actor, batch, priority))


def _told(done: Steered) -> SteeredBatch:
    left = [LeftRun(run=one.run, state=one.state, reason=one.reason) for one in done.left]
    return SteeredBatch(batch=done.batch, changed=done.changed, left=left)
