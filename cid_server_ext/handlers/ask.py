"""One question to the catalog: who asks, one transaction, what is signed, what staff saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from ..core import policy
from ..core.actor import Actor
from ..core.people import staff_reads
from ..db.session import reading
from ..identity import actor_of
from ..services import Services
from ..storage import revoked
from ..storage.tickets import LONGEST, Right

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as the core sees it. `after` runs once the transaction is committed.

    `agent` is what the caller says he asks with.

    `known` is what was revoked before this request read anything: a ticket it signs is no good
    once a right ended that it may still have seen.
    """

    session: Session
    actor: Actor
    services: Services
    body: Any = None
    query: Any = None
    after: list[Callable[[], None]] = field(default_factory=list)
    known: revoked.Moments = field(default_factory=revoked.Moments)
    agent: str = ""
    _holder: list[tuple[str, float]] = field(default_factory=list)

    def ticket(self, right: Right, seconds: int = LONGEST, prefixes: Iterable[str] = ()) -> str:
        """Sign a right of the caller, which ends with the first of his memberships.

        `prefixes`: whose bytes it opens besides its own.
        """
        if not self._holder:
            run, ends = self.actor.run_id, policy.next_end(self.session, self.actor)
            who = revoked.person(self.actor.name) if run is None else revoked.run(run)
            self._holder.append((who, ends.timestamp() if ends else NEVER))
        who, until = self._holder[0]
        since = max(self.known.of(who, prefix) for prefix in (right.prefix, *prefixes))
        given = replace(right, who=who, since=since)
        return self.services.data.signer.sign(given, seconds, until)


def transact(
    handler: Any,
    services: Services,
    what: str,
    body: Any,
    query: Any,
    work: Callable[[Ask], Any],
    seconds: float | None = None,
    reads: bool = False,
) -> Any:
    """Return what `work` answers to the caller, in one transaction; GET and HEAD only read.

    So does what `reads`.

    What only reads is ended by the database after `seconds`.

    What staff read of projects that are not theirs is noted before the answer is given.
    """
    known = services.data.revoked.now()
    sessions = services.sessions
    actor = actor_of(handler, sessions)
    only_reads = reads or handler.request.method in ("GET", "HEAD")
    with reading(sessions, seconds) if only_reads else sessions.begin() as session:
        if actor.staff:
            staff_reads.watch(session)
        agent = handler.request.headers.get("User-Agent", "")[:200]
        ask = Ask(session, actor, services, body, query, known=known, agent=agent)
        answer = work(ask)
        saw = staff_reads.unnoted(session, actor) if actor.staff else []
        if saw and not only_reads:
            staff_reads.note(session, actor, what, saw)
    if saw and only_reads:
        with sessions.begin() as session:
            staff_reads.note(session, actor, what, saw)
    for step in ask.after:
        step()
    return answer
