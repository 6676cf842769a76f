"""What the API answers about runs that are compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from ..core.again import comparison as comparisons
from ..core.again import difference as differences
from ..core.again.changed import Changed
from ..db import tables as t
from .run_shapes import TemplateName, template_name


class Change(BaseModel):
    """One value that differs; null where one lacks it."""

    name: str
    before: Any
    after: Any


class Cell(BaseModel):
    """A cell that was added, removed or changed: its places, from 1, and a unified diff."""

    change: str
    kind: str
    before: int | None
    after: int | None
    lines: list[str]


class Output(BaseModel):
    """An image or file of one of the two."""

    uid: str
    name: str
    sha256: str


class Pair(BaseModel):
    """Outputs that stand for each other; `same`: byte for byte."""

    kind: str
    name: str
    same: bool
    before: Output | None
    after: Output | None


class Compared(BaseModel):
    """Which run, of which version."""

    uid: str
    state: str
    template: TemplateName


class Difference(BaseModel):
    """What differs between two runs; `inputs` go by their roles, `environment` by package."""

    before: Compared
    after: Compared
    parameters: list[Change]
    code: list[Cell]
    environment: list[Change]
    inputs: list[Change]
    metrics: list[Change]
    outputs: list[Pair]
    same: bool


class Comparison(BaseModel):
    """What became of a replay: no replay, waiting, nothing to compare, same or differs."""

    run: str
    verdict: str
    text: str
    difference: Difference | None


def difference(found: differences.Difference) -> Difference:
    """Fill what differs."""
    return Difference(
        before=_compared(found.before),
        after=_compared(found.after),
        parameters=_changes(found.parameters),
        code=[Cell(**dataclasses.asdict(cell)) for cell in found.cells],
        environment=_changes(found.environment),
        inputs=_changes(found.inputs),
        metrics=_changes(found.metrics),
        outputs=[
            Pair(
                kind=pair.kind,
                name=pair.name,
                same=pair.same,
                before=_output(pair.before),
                after=_output(pair.after),
            )
            for pair in found.outputs
        ],
        same=found.same,
    )


def comparison(found: comparisons.Comparison) -> Comparison:
    """Fill what became of a replay."""
    return Comparison(
        run=found.run.uid,
        verdict=found.verdict,
        text=found.text,
        difference=found.difference and difference(found.difference),
    )


def _compared(row: t.Run) -> Compared:
    return Compared(uid=row.uid, state=row.state, template=template_name(row.template))


def _changes(found: Iterable[Changed]) -> list[Change]:
    return [Change(name=one.name, before=one.before, after=one.after) for one in found]


def _output(row: t.Image | t.File | None) -> Output | None:
    return row and Output(uid=row.uid, name=row.name, sha256=row.sha256)
