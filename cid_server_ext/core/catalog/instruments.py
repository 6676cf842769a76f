"""The instrument register: the facility's microscopes as they were at each time.

Everybody may read it; staff changes it. A version holds from `valid_from` until the next one's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, defer, selectinload

from ...db.tables import Instrument, InstrumentVersion
from ...errors import BadInput, Conflict, NotFound
from .. import journal, policy
from ..actor import Actor
from . import hardware, typed

MOST = 1000  # instruments
MOST_NAMES = 50
MOST_VERSIONS = 500


def listing(session: Session) -> list[Instrument]:
    """Return all instruments by name, the retired ones too."""
    rows = session.scalars(select(Instrument).options(selectinload(Instrument.versions)))
    return sorted(rows, key=lambda row: (row.folded, row.id))


def named(session: Session) -> list[Instrument]:
    """Return what all instruments are called, by name, and nothing that they are made of."""
    return list(session.scalars(select(Instrument).order_by(Instrument.folded, Instrument.id)))


def versions_of(session: Session, ids: Collection[int]) -> dict[int, list[InstrumentVersion]]:
    """Return the versions of instruments by their ids; their documents stay where they are."""
    found: dict[int, list[InstrumentVersion]] = {number: [] for number in ids}
    chosen = select(InstrumentVersion).where(InstrumentVersion.instrument_id.in_(ids))
    light = chosen.options(defer(InstrumentVersion.document))
    for row in session.scalars(light.order_by(InstrumentVersion.valid_from)):
        found[row.instrument_id].append(row)
    return found


def find(session: Session, uid: str, *, hold: bool = False) -> Instrument:
    """Return one instrument, or raise NotFound; `hold`: nobody else changes it until the commit."""
    chosen = select(Instrument).where(Instrument.uid == uid)
    if hold:
        chosen = chosen.with_for_update().execution_options(populate_existing=True)
    row = session.scalar(chosen)
    if row is None:
        raise NotFound(f"no instrument {uid!r}")
    return row


def version(session: Session, instrument: str, uid: str) -> InstrumentVersion:
    """Return one version of an instrument, or raise NotFound."""
    found = [one for one in find(session, instrument).versions if one.uid == uid]
    if not found:
        raise NotFound(f"no version {uid!r} of this instrument")
    return found[0]


def add(
    session: Session,
    actor: Actor,
    name: str,
    *,
    serial: str = "",
    room: str = "",
    names: Sequence[str] = (),
) -> Instrument:
    """Register a microscope. Staff may; Conflict when one is called so already."""
    policy.require_staff(actor)
    if len(named(session)) >= MOST:
        raise BadInput(f"name: the register has at most {MOST} instruments")
    row = Instrument(retired=False)
    _shape(row, {"name": name, "serial": serial, "room": room, "names": names})
    session.add(row)
    _flush(session, row)
    _tell(session, actor, "add instrument", row, {"name": row.name})
    return row


def change(session: Session, actor: Actor, uid: str, changes: Mapping[str, Any]) -> Instrument:
    """Change name, serial, room, names or retired; one step. Staff may."""
    policy.require_staff(actor)
    row = find(session, uid, hold=True)
    before = {key: getattr(row, key) for key in changes}
    _shape(row, changes)
    changed = {k: {"from": old, "to": getattr(row, k)} for k, old in before.items()}
    told = {k: v for k, v in changed.items() if v["from"] != v["to"]}
    if told:
        _flush(session, row)
        retires = "retired" in told and row.retired
        action = "retire instrument" if retires else "change instrument"
        _tell(session, actor, action, row, {"name": row.name, **told})
    return row


def put_version(
    session: Session,
    actor: Actor,
    uid: str,
    *,
    valid_from: dt.datetime,
    made_of: Mapping[str, Any],
    document: Mapping[str, Any] | None = None,
    why: str = "",
) -> InstrumentVersion:
    """Say what the instrument is made of from a moment on. Staff may.

    What was said for the same moment is corrected. `document` is kept whole beside it: the
    Micro-Meta App JSON or OME XML that it was read from.
    """
    policy.require_staff(actor)
    row = find(session, uid, hold=True)
    told = hardware.check(made_of)
    reason = typed.clean(why, "why:", 1000) if why.strip() else ""
    found = [one for one in row.versions if one.valid_from == valid_from]
    if not found and len(row.versions) >= MOST_VERSIONS:
        raise BadInput(f"valid_from: an instrument has at most {MOST_VERSIONS} versions")
    one = found[0] if found else InstrumentVersion(instrument=row, valid_from=valid_from)
    one.hardware, one.document = told, dict(document or {})
    one.why, one.person = reason, actor.name
    session.add(one)
    _flush(session, row)
    detail = {"name": row.name, "valid_from": valid_from.isoformat(), "why": reason}
    action = "correct instrument" if found else "update instrument"
    _tell(session, actor, action, row, detail)
    session.expire(row, ["versions"])
    return one


def valid(versions: Sequence[InstrumentVersion], at: dt.datetime) -> InstrumentVersion | None:
    """Return the version that held at a moment; None: before the first."""
    past = [one for one in versions if one.valid_from <= at]
    return max(past, key=lambda one: one.valid_from, default=None)


def _shape(row: Instrument, wanted: Mapping[str, Any]) -> None:
    if "name" in wanted:
        row.name = typed.clean(wanted["name"], "name:", 120)
        row.folded = typed.folded(row.name, 240)
    for key in ("serial", "room"):
        if key in wanted:
            text = wanted[key]
            setattr(row, key, typed.clean(text, f"{key}:", 120) if text.strip() else "")
    if "names" in wanted:
        once = {typed.folded(n, 240): typed.clean(n, "names:", 120) for n in wanted["names"]}
        if len(once) > MOST_NAMES:
            raise BadInput(f"names: at most {MOST_NAMES}")
        row.names = list(once.values())
    if "retired" in wanted:
        row.retired = bool(wanted["retired"])


def _flush(session: Session, row: Instrument) -> None:
    name = row.name  # after a refused flush it cannot be read
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(f"name: the register has an instrument {name!r} already") from None


def _tell(
    session: Session, actor: Actor, action: str, row: Instrument, detail: dict[str, Any]
) -> None:
    journal.record(session, actor.name, action, f"instrument:{row.uid}", detail)
