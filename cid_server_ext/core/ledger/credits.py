"""Credits: how staff corrects the ledger, by a line with a negative amount and its reason."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Line, Project, new_uid
from ...errors import BadInput
from .. import journal, policy
from ..actor import Actor
from . import lines

LONGEST = 400  # characters of a reason


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to give back: `amount` byte-days or seconds, at the prices and tariff of `day`."""

    kind: str
    amount: int
    day: dt.date
    reason: str


def give(session: Session, actor: Actor, name: str, wanted: Wanted) -> Line:
    """Add a credit to a project's ledger; it is on the invoice of the period that runs. Staff may.

    What is given back of a kind is never more than what was charged.
    """
    policy.require_staff(actor)
    project = policy.find(session, actor, Project, name)
    if wanted.kind not in lines.KINDS:
        raise BadInput(f"kind: one of {', '.join(lines.KINDS)}")
    reason = wanted.reason.strip()
    if not 1 <= len(reason) <= LONGEST or not reason.isprintable():
        raise BadInput(f"reason: one line of 1 to {LONGEST} characters")
    # one credit of a project at a time, so that two together do not give back too much
    session.execute(select(Project.id).where(Project.id == project.id).with_for_update())
    of_kind = (Line.project_id == project.id) & (Line.kind == wanted.kind)
    charged = int(session.scalar(select(func.sum(Line.amount)).where(of_kind)) or 0)
    if not 1 <= wanted.amount <= charged:
        raise BadInput(f"amount: from 1 to the {charged} that were charged")
    asked = select(Line).where(of_kind, Line.day == wanted.day, Line.amount >= 0)
    corrected = session.scalar(asked.order_by(Line.id).limit(1))
    if corrected is None:
        raise BadInput(f"day: nothing of this kind was charged on {wanted.day}")
    [then] = lines.whole(session, [corrected])
    line = Line(
        key=f"credit/{new_uid()}",
        kind=wanted.kind,
        day=clock.now(session).date(),
        team_id=corrected.team_id,
        project_id=project.id,
        person=actor.name,
        amount=-wanted.amount,
        detail={
            "team": then["team"],
            "project": then["project"],
            "credit": {"day": wanted.day.isoformat(), "reason": reason},
        },
    )
    session.add(line)
    told = {"kind": wanted.kind, "amount": wanted.amount, "reason": reason}
    subject = f"project:{project.name}"
    journal.record(session, actor.name, "credit", subject, told, project_id=project.id)
    return line
