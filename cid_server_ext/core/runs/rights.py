"""A queued run starts only while its person may still submit in its project."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ...db.tables import Journal, Project, Run
from .. import policy
from ..actor import Actor
from . import states

SUBMIT = "submit run"  # what the journal calls it


def refuse_ended(session: Session, run_ids: Collection[int]) -> set[int]:
    """Fail the queued runs whose person's role has ended, give their room back, return which.

    Whether somebody is staff only the hub knows: what staff submitted as staff is left alone.
    """
    chosen = Run.id.in_(run_ids)
    found: list[Row[int, str, str, str]] = []
    for person in session.scalars(select(Run.person).where(chosen).distinct()).all():
        may = policy.granted(Actor(person), "contributor", Run)
        theirs = select(Run.id, Run.uid, Run.person, Project.name).join(Run.project)
        found += session.execute(theirs.where(chosen, Run.person == person, ~may)).all()
    by_staff = _by_staff(session, [run.uid for run in found])
    ended = [run for run in found if run.uid not in by_staff]
    for run in ended:
        message = (
            f"{run.person} is no longer contributor of project {run.name!r}:"
            " who is may run this again"
        )
        states.move(
            session,
            run.id,
            "failed",
            by="conductor",
            only_if=Run.state == "queued",
            error={"error": "NotAllowed", "message": message},
        )
    return {run.id for run in ended}


def _by_staff(session: Session, uids: Collection[str]) -> set[str]:
    """Return those of the runs that the journal says were submitted by staff."""
    subjects = {f"run:{uid}": uid for uid in uids}
    entries = select(Journal.subject, Journal.detail).where(
        Journal.action == SUBMIT, Journal.subject.in_(subjects)
    )
    return {subjects[row.subject] for row in session.execute(entries) if row.detail.get("staff")}
