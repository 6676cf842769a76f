"""Sealing: the record of a run that has ended is kept as it was then, signed, and never changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Provenance, Run
from .. import journal
from ..actor import Actor
from ..runs import runs, states
from . import canonical, record

SYSTEM = "cid"  # who seals


class Signer(Protocol):
    """What signs with the service's private key; `name` is that of its public key."""

    @property
    def name(self) -> str:
        """Its thumbprint (RFC 7638)."""

    def sign(self, content: bytes) -> str:
        """Return a detached JWS (RFC 7515, appendix F) over the content."""


@dataclass(frozen=True, slots=True)
class Told:
    """A record and, once it is sealed, its digest and signature."""

    record: dict[str, Any]
    sealed: Provenance | None


def told(session: Session, actor: Actor, uid: str) -> Told:
    """Return the sealed record of a run, or how it is now; NotFound as for the run."""
    run = runs.get(session, actor, uid)
    sealed = _newest(session, run)
    if sealed is not None and sealed.ended_at == run.ended_at:
        return Told(json.loads(sealed.record), sealed)
    return Told(record.of(session, run), None)


def as_file(one: Told) -> str:
    """Return a record as the file that `cid verify-run` reads."""
    sealed = one.sealed
    about = {
        "record": one.record,
        "sealed_at": sealed and sealed.sealed_at.isoformat(),
        "sha256": sealed and sealed.sha256,
        "key": sealed and sealed.key,
        "signature": sealed and sealed.signature,
    }
    return json.dumps(about, indent=1, ensure_ascii=False) + "\n"


def seal(session: Session, run: Run, signer: Signer) -> Provenance:
    """Keep the record of a run that has ended; one that is sealed stays as it is.

    The entry in the journal is the caller's.
    """
    session.flush()
    known = _newest(session, run)
    if known is not None and known.ended_at == run.ended_at:
        return known
    content = canonical.encode(record.of(session, run))
    sealed = Provenance(
        run_id=run.id,
        number=known.number + 1 if known else 1,
        ended_at=run.ended_at,
        record=content.decode(),
        sha256=hashlib.sha256(content).hexdigest(),
        key=signer.name,
        signature=signer.sign(content),
        sealed_at=clock.now(session),
    )
    session.add(sealed)
    return sealed


def seal_left(session: Session, signer: Signer, most: int = 50) -> int:
    """Seal runs that ended without a commit, or while nobody could sign; return how many."""
    found = session.scalars(_left().order_by(Run.id).limit(most)).all()
    for run in found:
        row = seal(session, run, signer)
        journal.record(session, SYSTEM, "seal run", f"run:{run.uid}", {"sha256": row.sha256})
    return len(found)


def any_left(session: Session) -> bool:
    """Say whether a run waits to be sealed."""
    return session.scalars(_left().limit(1)).first() is not None


def _left() -> Select[Run]:
    mine = (Provenance.run_id == Run.id) & (Provenance.ended_at == Run.ended_at)
    sealed = select(Provenance.run_id).where(mine).exists()
    return select(Run).where(Run.state.in_(states.ENDED), Run.ended_at.is_not(None), ~sealed)


def _newest(session: Session, run: Run) -> Provenance | None:
    mine = select(Provenance).where(Provenance.run_id == run.id)
    return session.scalars(mine.order_by(Provenance.number.desc()).limit(1)).first()
