"""What became of a replay: whether it made the same as the run that it repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from ...db.tables import Run
from ...errors import NotAllowed
from .. import policy
from ..actor import Actor
from ..runs import states
from . import difference
from .difference import Difference

Verdict = Literal["no replay", "waiting", "nothing to compare", "same", "differs"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict, and what differs once both have ended with results."""

    run: Run
    verdict: Verdict
    difference: Difference | None = None

    @property
    def text(self) -> str:
        """The verdict as a sentence."""
        if self.difference is None:
            return SENTENCES[self.verdict]
        where = _environment(len(self.difference.environment))
        if self.verdict == "same":
            return f"every output and metric is the same, in {where}"
        outputs = [f"{pair.kind} {pair.name}" for pair in self.difference.outputs if not pair.same]
        named = outputs + [f"metric {one.name}" for one in self.difference.metrics]
        more = f" and {len(named) - 5} more" if len(named) > 5 else ""
        return f"not the same: {', '.join(named[:5])}{more}; in {where}"


def _environment(differences: int) -> str:
    if not differences:
        return "the same environment"
    return f"another environment ({differences} {'entry' if differences == 1 else 'entries'})"


SENTENCES = {
    "no replay": "it repeats no other run: replay() makes one that does",
    "waiting": "one of the two has not ended: wait for it",
    "nothing to compare": "one of the two ended without results",
}


def comparison(session: Session, actor: Actor, uid: str) -> Comparison:
    """Compare a replay with the run that it repeats; NotFound where the caller sees no such run.

    Of an original that the caller may not see nothing is told.
    """
    if actor.run_id is not None:
        raise NotAllowed("a run token opens this run's inputs and output, nothing else")
    run = policy.find(session, actor, Run, uid)
    seen = policy.visible(actor, Run).where(Run.id == run.replay_of_id)
    original = session.scalar(seen) if run.replay_of_id is not None else None
    if original is None:
        return Comparison(run, "no replay")
    if not {run.state, original.state} <= states.ENDED:
        return Comparison(run, "waiting")
    if (run.state, original.state) != ("done", "done"):
        return Comparison(run, "nothing to compare")
    found = difference.of(session, actor, original, run)
    return Comparison(run, "same" if found.same else "differs", found)
