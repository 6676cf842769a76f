"""When a run's turn may come: how urgent it is, and not before when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from ...errors import BadInput
from .. import policy
from ..actor import Actor

URGENT = 10
LATEST = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Turn:
    """Of one team's runs the one with the higher priority goes first, once its time has come."""

    priority: int = 0
    not_before: dt.datetime | None = None


USUAL = Turn()


def check(actor: Actor, turn: Turn) -> None:
    """Raise BadInput for a turn that there is not, NotAllowed for one that only staff gives."""
    if not -URGENT <= turn.priority <= URGENT:
        raise BadInput(f"priority: from -{URGENT} to {URGENT}")
    if turn.priority > 0:
        policy.require_staff(actor)
    if turn.not_before is not None:
        if turn.not_before.tzinfo is None:
            raise BadInput("not_before: say the time zone too, as in 2026-11-22T20:00:00+01:00")
        if turn.not_before > dt.datetime.now(dt.UTC) + LATEST:
            raise BadInput("not_before: within a year")


def gpu(resources_gpus: int, above: int | None, pixels: int) -> bool | None:
    """Return the class of a run on so many pixels; None where its template does not distinguish."""
    return None if not resources_gpus or above is None else pixels > above
