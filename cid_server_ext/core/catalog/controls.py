"""Quality control of microscopes: what staff measured, as series, and what held for an image.

Metrics are called as the facility likes; the protocols of QUAREP-LiMi name the usual ones. A
series is one metric at one place of one microscope; it keeps the spelling and the unit that it
began with.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Control, Image, Instrument, Run
from ...errors import BadInput
from .. import journal, policy, units
from ..actor import Actor
from . import instruments, typed

MOST = 200  # measurements of one call
SHOWN = 5000  # of one microscope, the newest
LONGEST = 3660  # days between two measurements of a series
AHEAD = dt.timedelta(hours=24)  # a clock may be wrong by its time zone


@dataclass(frozen=True, slots=True)
class Measured:
    """One number; `place` is the objective, laser or point of the field that it belongs to."""

    metric: str
    value: float
    unit: str = ""
    place: str = ""
    low: float | None = None
    high: float | None = None
    every: int | None = None  # days until it is to be measured anew; 0: no more


def record(
    session: Session,
    actor: Actor,
    uid: str,
    told: Sequence[Measured],
    *,
    at: dt.datetime | None = None,
    evidence: str = "",
    note: str = "",
) -> list[Control]:
    """Keep what was measured of a microscope at a moment (now); one step to undo. Staff may.

    A number in another unit is taken to that of its series. What a series may be (`low`, `high`)
    and how often it is measured (`every`) stays until it is said anew. BadInput: a unit that does
    not convert, a moment to come, evidence that is neither an image nor a run that the caller sees.
    """
    policy.require_staff(actor)
    scope = instruments.find(session, uid, hold=True)
    if not 1 <= len(told) <= MOST:
        raise BadInput(f"measurements: 1 to {MOST} at once")
    now = clock.now(session)
    if at is not None and at > now + AHEAD:
        raise BadInput("measured_at: lies in the future")
    before = {row.series: row for row in _newest(session, scope, None)}
    proof = _evidence(session, actor, evidence)
    why = typed.clean(note, "note:", 1000) if note.strip() else ""
    rows: list[Control] = []
    for number, one in enumerate(told):
        row = _row(one, f"measurements[{number}]", before)
        before[row.series] = row
        row.instrument_id, row.measured_at = scope.id, at or now
        row.evidence, row.note, row.person = proof, why, actor.name
        rows.append(row)
    session.add_all(rows)
    session.flush()
    detail = {"name": scope.name, "measurements": len(rows), "metrics": _metrics(rows)}
    journal.record(session, actor.name, "record control", f"instrument:{scope.uid}", detail)
    return rows


def of(session: Session, uid: str, metric: str = "") -> list[Control]:
    """Return a microscope's measurements, the newest first; at most `SHOWN`."""
    scope = instruments.find(session, uid)
    chosen = select(Control).where(Control.instrument_id == scope.id)
    if metric:
        first = f"{typed.folded(metric, 240)} @ "
        chosen = chosen.where(Control.series.startswith(first, autoescape=True))
    newest = chosen.order_by(Control.measured_at.desc(), Control.id.desc())
    return list(session.scalars(newest.limit(SHOWN)))


def before(session: Session, image: Image) -> list[Control]:
    """Return the last measurement of each series before an image was taken, by name.

    Where nobody knows when it was taken, the day it came in counts. Empty: its microscope is not
    known, or was not measured until then.
    """
    if image.instrument_id is None:
        return []
    scope = session.get_one(Instrument, image.instrument_id)
    rows = _newest(session, scope, image.acquired_at or image.created_at)
    return sorted(rows, key=lambda row: row.series)


def fine(row: Control) -> bool | None:
    """Tell if a number lies where it may; None where nobody said so."""
    if row.low is None and row.high is None:
        return None
    return (row.low is None or row.value >= row.low) and (row.high is None or row.value <= row.high)


def due(row: Control) -> dt.datetime | None:
    """Return until when its series is to be measured anew; None where nobody said so."""
    return row.measured_at + dt.timedelta(days=row.every) if row.every else None


def newest(session: Session) -> list[Control]:
    """Return the newest measurement of each series of every microscope, by name."""
    return sorted(_newest(session, None, None), key=lambda row: row.series)


def _newest(session: Session, scope: Instrument | None, until: dt.datetime | None) -> list[Control]:
    """Return the newest measurement of each series, of one microscope or all, `until` a moment."""
    own = true() if scope is None else Control.instrument_id == scope.id
    if until is not None:
        own &= Control.measured_at <= until
    order = (Control.measured_at.desc(), Control.id.desc())
    place = func.row_number().over(
        partition_by=(Control.instrument_id, Control.series), order_by=order
    )
    ranked = select(Control.id, place.label("place")).where(own).subquery()
    first = select(ranked.c.id).where(ranked.c.place == 1)
    return list(session.scalars(select(Control).where(Control.id.in_(first))))


def _row(one: Measured, where: str, before: dict[str, Control]) -> Control:
    metric = typed.clean(one.metric, f"{where}.metric:", 120)
    place = typed.clean(one.place, f"{where}.place:", 120) if one.place.strip() else ""
    series = f"{typed.folded(metric, 240)} @ {typed.folded(place, 240)}"
    unit, every = _unit(one.unit, where), one.every
    if every is not None and not 0 <= every <= LONGEST:
        raise BadInput(f"{where}.every: 0 to {LONGEST} days")
    known = before.get(series)
    numbers = {"value": one.value, "low": one.low, "high": one.high}
    for name, number in numbers.items():
        if number is not None and not math.isfinite(number):
            raise BadInput(f"{where}.{name}: must be a number")
    if known is not None:
        metric, place = known.metric, known.place
        numbers = {
            name: None if number is None else _taken(number, unit, known.unit, where)
            for name, number in numbers.items()
        }
        unit = known.unit
        if one.low is None and one.high is None:
            numbers |= {"low": known.low, "high": known.high}
        every = known.every if every is None else every
    low, high = numbers["low"], numbers["high"]
    if low is not None and high is not None and low > high:
        raise BadInput(f"{where}.low: is above high")
    return Control(series=series, metric=metric, place=place, unit=unit, every=every, **numbers)


def _unit(unit: str, where: str) -> str:
    try:
        return units.known(unit)
    except BadInput as error:
        raise BadInput(f"{where}.{error}") from None


def _taken(number: float, unit: str, to: str, where: str) -> float:
    if unit != to and not (unit and to):
        raise BadInput(f"{where}.unit: this series is in {to or 'no unit'}")
    try:
        return units.convert(number, unit, to)
    except BadInput as error:
        raise BadInput(f"{where}.{error}") from None


def _evidence(session: Session, actor: Actor, uid: str) -> str:
    if not uid:
        return ""
    for kind in (Image, Run):
        chosen = select(kind.uid).where(kind.uid == uid, policy.reachable(actor, "viewer", kind))
        if session.scalar(chosen) is not None:
            return uid
    raise BadInput("evidence: neither an image nor a run that you can see")


def _metrics(rows: Sequence[Control]) -> str:
    names = list(dict.fromkeys(row.metric for row in rows))
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
