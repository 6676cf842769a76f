"""What the end of a batch tells its person: written by the transaction that ends its last run.

Two runs of a batch may end at the same moment in two transactions, of which neither sees the end
of the other. So whoever ends one takes the batch's turn first, and then looks what is left.
Of a chain (`core.steps`) the last batch is told, and of each what went wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ...db.tables import Run, Subscription, SubscriptionMatch
from . import notices


def told(session: Session, batches: Iterable[str], ended: Collection[str]) -> None:
    """Write the notice of each batch of which nothing is left to do; `ended` are the end states."""
    for batch in sorted(set(batches)):
        _turn(session, batch)
        if _over(session, batch, ended):
            _tell(session, batch)
            told(session, _following(session, batch), ended)


def _over(session: Session, batch: str, ended: Collection[str]) -> bool:
    """Say whether nothing of a batch is left to do, and nothing more comes to it."""
    mine = select(Run.id).where(Run.batch == batch)
    if session.scalar(mine.where(Run.state.not_in(ended)).limit(1)) is not None:
        return False
    earlier = select(Run.batch).where(Run.id.in_(mine.with_only_columns(Run.after_id)))
    leads_on = (Run.state == "done") & Run.then.is_not(None) & Run.followed.is_(None)
    comes = select(Run.id).where(
        Run.batch.in_(earlier), or_(Run.state.not_in(ended), leads_on), Run.then.is_not(None)
    )
    return session.scalar(comes.limit(1)) is None


def _following(session: Session, batch: str) -> Iterable[str]:
    """Return the batches that follow a batch's runs."""
    mine = select(Run.id).where(Run.batch == batch)
    return session.scalars(select(Run.batch).where(Run.after_id.in_(mine)).distinct()).all()


def _turn(session: Session, batch: str) -> None:
    """Hold up who else ends a run of this batch, until the commit; SQLite has one writer anyway."""
    if session.connection().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(batch, 7))))


def _tell(session: Session, batch: str) -> None:
    mine = Run.batch == batch
    counted = select(Run.state, func.count()).where(mine).group_by(Run.state)
    counts: dict[str, int] = dict(session.execute(counted).all())
    if set(counts) <= {"cancelled"}:
        return  # whoever stopped it knows
    first = session.scalars(select(Run).where(mine).order_by(Run.id).limit(1)).one()
    if first.then and set(counts) == {"done"}:
        return  # what follows will tell
    about, home = f"batch:{batch}", first.project_id
    if (subscription := _subscription(session, first.id)) is not None:
        if "failed" in counts:  # each night's harvest is no news; what fails is, until it is read
            said = f"{first.template.name} by itself in {first.project.name}: {_counts(counts)}"
            said += _why(session, batch)
            about = f"subscription:{subscription}"
            notices.tell(session, first.person, "run", about, said, project_id=home, once=True)
        return
    name = first.template.name
    if sum(counts.values()) == 1:
        images = list(first.inputs)
        on = f" on {images[0].image.name}" if images else ""
        said = f"{name}{on} is {next(iter(counts))}"
        said += _why(session, batch)
        notices.tell(session, first.person, "run", about, said, project_id=home)
        return
    said = f"{name} in {first.project.name}: {_counts(counts)}{_why(session, batch)}"
    notices.tell(session, first.person, "batch", about, said, project_id=home)


def _counts(counts: dict[str, int]) -> str:
    """Say "48 of 50 runs are done, 2 failed"."""
    total, done = sum(counts.values()), counts.get("done", 0)
    rest = [f"{counts[state]} {state}" for state in ("failed", "cancelled") if counts.get(state)]
    runs = "run is" if total == 1 else "runs are"
    return ", ".join([f"{done} of {total} {runs} done", *rest])


def _why(session: Session, batch: str) -> str:
    """Return the reason of the first failure, if there is one."""
    failed = select(Run.error).where(Run.batch == batch, Run.state == "failed")
    error = session.scalars(failed.order_by(Run.id).limit(1)).first()
    if not error:
        return ""
    said = " ".join(str(error.get("message") or "no reason was recorded").split())
    return f". {error.get('error', 'Failed')}: {said[:200]}"


def _subscription(session: Session, run_id: int) -> str | None:
    """Return the subscription that submitted the run, if one did."""
    asked = select(Subscription.uid).join(
        SubscriptionMatch, SubscriptionMatch.subscription_id == Subscription.id
    )
    return session.scalar(asked.where(SubscriptionMatch.run_id == run_id))
