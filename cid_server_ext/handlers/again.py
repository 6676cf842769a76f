"""Runs once more: replayed, and compared with others."""

from __future__ import annotations

from ..core.again import comparison, difference, replay
from ..core.provenance import record
from . import again_shapes, run_shapes
from .base import Ask, CidHandler, endpoint


class Replay(CidHandler):
    """runs/{run}/replay."""

    @endpoint("Run the same again", who="contributor", answer=run_shapes.Run, status=201)
    def post(self, ask: Ask, run: str) -> run_shapes.Run:
        """The same version, values and inputs, also of a template that was withdrawn."""
        row = replay.replay(ask.session, ask.actor, run)
        record.begun_with(ask.session, [row], ask.agent)
        ask.session.refresh(row)
        ask.after.append(ask.services.queued)
        return run_shapes.one(ask, row)


class Comparison(CidHandler):
    """runs/{run}/comparison."""

    @endpoint("What became of a replay", who="viewer", answer=again_shapes.Comparison)
    def get(self, ask: Ask, run: str) -> again_shapes.Comparison:
        """Whether it made the same as the run that it repeats."""
        return again_shapes.comparison(comparison.comparison(ask.session, ask.actor, run))


class Difference(CidHandler):
    """runs/{run}/diff/{other}."""

    @endpoint("What differs between two runs", who="viewer", answer=again_shapes.Difference)
    def get(self, ask: Ask, run: str, other: str) -> again_shapes.Difference:
        """Values, code, environment, inputs, metrics and outputs."""
        found = difference.between(ask.session, ask.actor, run, other)
        return again_shapes.difference(found)
