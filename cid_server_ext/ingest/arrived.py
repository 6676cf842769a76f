"""What came though the catalog holds it: known by the digests that were made while it came."""

from __future__ import annotations

from dataclasses import replace

from ..core.actor import Actor
from ..core.catalog import held, imports
from ..db.session import Sessions
from ..db.tables import Deposit
from ..storage import digests
from ..storage.roots import Root
from .jobs import Job, places


def told_apart(sessions: Sessions, root: Root, process: str, job: Job) -> Job:
    """Return the job in which such files count as if they had not been sent; they are removed.

    What the storage has lost is not: then these are the only bytes that are left of it.
    """
    prefix = job.staged.prefix
    made = digests.noted(root.path(prefix)) if job.once else {}
    if not made:
        return job
    sha256 = {path: one.sha256 for path, one in made.items()}
    with sessions.begin() as session:
        deposit = session.get_one(Deposit, job.id)
        before = deposit.declared
        who = Actor(deposit.person)
        declared = held.arrived(session, who, deposit.project_id, before, sha256)
        there = places(held.kept(session, declared))
        declared = [
            new if old == new or root.path(there[new["path"]].key).exists() else old
            for old, new in zip(before, declared, strict=True)
        ]
        if declared == before:
            return job
        imports.hold(session, process, job.id, declared=declared)
        there = places(held.kept(session, declared))
    for old, new in zip(before, declared, strict=True):
        if old != new:
            root.path(f"{prefix}/in/{new['path']}").unlink(missing_ok=True)
    return replace(job, staged=replace(job.staged, held=there))
