"""How each microscope stands: whether its quality control holds, how much was taken, and when.

Images count as far as the caller sees them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Control, Image
from .. import policy
from ..actor import Actor
from . import controls, instruments

WITHIN, OUT, OVERDUE, NEVER = "within", "out", "overdue", "never"


@dataclass(frozen=True, slots=True)
class Standing:
    """One microscope: `control` is out before it is overdue; never: nothing was measured yet.

    `out` and `overdue` name the series that are so, each as metric and place.
    """

    uid: str
    name: str
    images: int
    last_used: dt.datetime | None
    control: str
    measured_at: dt.datetime | None
    out: list[tuple[str, str]] = field(default_factory=list)
    overdue: list[tuple[str, str]] = field(default_factory=list)


def listing(session: Session, actor: Actor) -> list[Standing]:
    """Return how all microscopes stand, by name, the retired ones too."""
    used = _used(session, actor)
    series: dict[int, list[Control]] = {}
    for row in controls.newest(session):
        series.setdefault(row.instrument_id, []).append(row)
    now = clock.now(session)
    found = []
    for scope in instruments.listing(session):
        images, last = used.get(scope.id, (0, None))
        rows = series.get(scope.id, [])
        out = [row for row in rows if controls.fine(row) is False]
        late = [row for row in rows if (due := controls.due(row)) is not None and due < now]
        found.append(
            Standing(
                uid=scope.uid,
                name=scope.name,
                images=images,
                last_used=last,
                control=OUT if out else OVERDUE if late else WITHIN if rows else NEVER,
                measured_at=max((row.measured_at for row in rows), default=None),
                out=_names(out),
                overdue=_names(late),
            )
        )
    return found


def _used(session: Session, actor: Actor) -> dict[int | None, tuple[int, dt.datetime | None]]:
    """Return by microscope how many images it took, and when the last one."""
    taken = func.max(func.coalesce(Image.acquired_at, Image.created_at))
    chosen = (
        policy.visible(actor, Image)
        .where(Image.instrument_id.is_not(None), Image.kind == "image")
        .with_only_columns(Image.instrument_id, func.count(), taken)
        .group_by(Image.instrument_id)
    )
    return {scope: (count, last) for scope, count, last in session.execute(chosen)}


def _names(rows: Sequence[Control]) -> list[tuple[str, str]]:
    return [(row.metric, row.place) for row in rows]
