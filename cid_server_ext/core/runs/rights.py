"""A queued run starts only while its person may still submit in its project."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ...db.tables import Journal, Project, Record, Run, RunInput
from .. import policy
from ..actor import Actor
from . import states

SUBMIT = "submit run"  # what the journal calls it


def refuse_ended(session: Session, run_ids: Collection[int]) -> set[int]:
    """Fail the queued runs whose person's role has ended, give their room back, return which.

    So are those with a further input that their person no longer sees. Whether somebody is staff
    only the hub knows: what staff submitted as staff is left alone.
    """
    chosen = Run.id.in_(run_ids)
    ended: dict[int, str] = {}
    subjects: dict[int, str] = {}
    for person in session.scalars(select(Run.person).where(chosen).distinct()).all():
        theirs = select(Run.id, Run.uid, Project.name).join(Run.project)
        theirs = theirs.where(chosen, Run.person == person)
        may = policy.granted(Actor(person), "contributor", Run)
        for row in session.execute(theirs.where(~may)).all():
            subjects[row.id] = row.uid
            why = f"{person} is no longer contributor of project {row.name!r}"
            ended[row.id] = f"{why}: who is may run this again"
        for row in session.execute(theirs.where(may, Run.id.in_(_blind(person)))).all():
            subjects[row.id] = row.uid
            why = f"{person} no longer sees one of its further inputs"
            ended[row.id] = f"{why}: run it again with others"
    by_staff = _by_staff(session, subjects.values())
    refused = {run_id for run_id, uid in subjects.items() if uid not in by_staff}
    for run_id in sorted(refused):
        states.move(
            session,
            run_id,
            "failed",
            by="conductor",
            only_if=Run.state == "queued",
            error={"error": "NotAllowed", "message": ended[run_id]},
        )
    return refused


def submitted_by_staff(session: Session, uid: str) -> bool:
    """Say whether the journal says that staff submitted a run, as staff."""
    return bool(_by_staff(session, [uid]))


def _blind(person: str) -> Select[int]:
    """Select the runs that have a further input which the person does not see."""
    sees = policy.granted(Actor(person), "viewer", Record)
    given = select(RunInput.run_id).join(Record, Record.id == RunInput.image_id)
    return given.where(RunInput.position > 0, ~sees)


def _by_staff(session: Session, uids: Collection[str]) -> set[str]:
    """Return those of the runs that the journal says were submitted by staff."""
    subjects = {f"run:{uid}": uid for uid in uids}
    entries = select(Journal.subject, Journal.detail).where(
        Journal.action == SUBMIT, Journal.subject.in_(subjects)
    )
    return {subjects[row.subject] for row in session.execute(entries) if row.detail.get("staff")}
