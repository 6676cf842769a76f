"""What a template's own runs took: the newest that are done, of this version or of earlier ones.

They are everybody's, as no single project runs a template often enough. Of them only the forecast
and how many they were is told, never whose or which.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ...db.tables import Image, Record, Run, RunInput, Template
from ..templates.manifest import Manifest, Resources
from . import forecast
from .forecast import Floats, Forecast
from .room import output_bytes

NEWEST = 100  # runs that count
USUAL_START = 15.0  # seconds from submit to the first run, where nothing is known
USUAL_COMMIT = 3.0


@dataclass(frozen=True, slots=True)
class Past:
    """One run that is done: its image, and the seconds that it waited and took, to its end.

    `executed` of them were the notebook's, as far as the worker told; the rest is committing.
    """

    id: int
    batch: str
    axes: str
    shape: Sequence[int]
    waited: float
    took: float
    executed: float | None


@dataclass(frozen=True, slots=True)
class History:
    """The newest runs of a template, and after how many seconds a run of it is ended."""

    past: tuple[Past, ...]
    most: float

    def forecast(self) -> Forecast | None:
        """Return how long images take, or None: nothing is known."""
        return forecast.fit(
            forecast.pixels(self.past), np.array([one.took for one in self.past], float), self.most
        )

    def starts(self) -> Floats:
        """Return the seconds until the first run of a batch began, of those that did not queue.

        How long a batch queued is not known; the faster half of them did not, or not long.
        """
        first: dict[str, float] = {}
        for one in self.past:
            first[one.batch] = min(one.waited, first.get(one.batch, one.waited))
        fastest = sorted(first.values())[: -(-len(first) // 2)]
        return np.array(fastest or [USUAL_START], np.float64)

    def commits(self) -> float:
        """Return the seconds that committing takes."""
        known = [max(one.took - one.executed, 0.0) for one in self.past if one.executed is not None]
        return float(np.median(known)) if known else USUAL_COMMIT


def of(session: Session, template: Template) -> History:
    """Return the history of a version; where it is short, with that of earlier versions."""
    past = _past(session, Run.template_id == template.id, NEWEST)
    if len(past) < forecast.FEW:
        earlier = select(Template.id).where(
            Template.project_id.is_not_distinct_from(template.project_id),
            Template.name == template.name,
            Template.id < template.id,
        )
        past += _past(session, Run.template_id.in_(earlier), NEWEST - len(past))
    return History(tuple(past), float(resources(template).wall_seconds))


def resources(template: Template) -> Resources:
    """Return what one run of a template needs."""
    return Resources.model_validate(template.manifest.get("resources", {}))


def written(session: Session, manifest: Manifest, past: Sequence[Past]) -> float | None:
    """Return which part of what is reserved these runs wrote in the end; None: nobody knows."""
    asked = select(Record.run_id, func.sum(Record.nbytes)).group_by(Record.run_id)
    asked = asked.where(Record.run_id.in_([one.id for one in past]))
    wrote = {run: float(nbytes) for run, nbytes in session.execute(asked)}
    parts = [
        wrote[one.id] / output_bytes(manifest, cast(Image, one))  # asks for axes and shape
        for one in past
        if one.id in wrote
    ]
    return float(np.median(parts)) if parts else None


def _past(session: Session, which: ColumnElement[bool], most: int) -> list[Past]:
    asked = (
        select(
            Run.id, Run.batch, Run.created_at, Run.started_at, Run.ended_at, Run.usage, Image.axes,
            Image.shape,
        )
        .join(RunInput, (RunInput.run_id == Run.id) & (RunInput.position == 0))
        .join(Image, Image.id == RunInput.image_id)
        .where(which, Run.state == "done", Run.started_at.is_not(None))
        .order_by(Run.id.desc())
        .limit(most)
    )  # fmt: skip
    return [
        Past(
            id=row.id,
            batch=row.batch,
            axes=row.axes,
            shape=row.shape,
            waited=_seconds(row.started_at - row.created_at),
            took=_seconds(row.ended_at - row.started_at),
            executed=row.usage.get("wall_seconds"),
        )
        for row in session.execute(asked)
    ]


def _seconds(took: dt.timedelta) -> float:
    return max(took.total_seconds(), 0.0)
