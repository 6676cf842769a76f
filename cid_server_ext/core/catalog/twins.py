"""What several deposits bring at the same moment comes in once; the others find it there."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Allocation, Deposit, Grave
from ..actor import Actor
from . import held
from .commits import Commit, There


def without(session: Session, deposit: Deposit, new: Commit) -> Commit:
    """Return a commit without what others committed since the deposit was opened.

    What was published of that is removed, as what is purged is.
    """
    if deposit.again or deposit.run_id is not None:
        return new
    # of two that commit to one project at once the second sees what the first one made
    mine = Allocation.project_id == deposit.project_id
    session.execute(select(Allocation.project_id).where(mine).with_for_update())
    files = [file for file in new.files if file.kind in held.KINDS and file.nbytes]
    wanted = [(file.sha256, file.nbytes) for file in files]
    # what was there before was looked up with its bytes at hand, and may have been lost
    since = deposit.created_at
    known = held.known(session, Actor(deposit.person), deposit.project_id, wanted, since)
    there = {
        file.uid: There("/".join(part for part in (file.folder, file.name) if part), uid)
        for file in files
        if (uid := known.get((file.sha256, file.nbytes)))
    }
    if not there:
        return new
    images = [image for image in new.images if image.original in there]
    gone = [file for file in new.files if file.uid in there]
    session.add_all(Grave(prefix=image.prefix) for image in images)
    session.add_all(Grave(prefix=file.prefix) for file in gone)
    return Commit(
        [image for image in new.images if image.original not in there],
        [file for file in new.files if file.uid not in there],
        [problem for problem in new.problems if problem.file not in there],
        [*new.there, *there.values()],
    )
