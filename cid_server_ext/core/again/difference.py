"""What differs between two runs: values, code, environment, inputs, metrics, bytes of outputs.

Pixels are opened by no service: which objects differ is found by who asks (`cid_client/again`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ...db.tables import File, Image, Run
from ...errors import NotAllowed
from .. import policy
from ..actor import Actor
from ..runs import runs
from ..templates import notebook_diff
from . import environments
from .changed import Changed, changed

TIMED = frozenset({"notebook", "log"})  # never the same twice: they hold times

Outputs = dict[tuple[str, str], Image | File]  # by kind and name


@dataclass(frozen=True, slots=True)
class Pair:
    """An output of each run that stand for each other; None where a run has none."""

    kind: str
    name: str
    before: Image | File | None
    after: Image | File | None

    @property
    def same(self) -> bool:
        """Whether they have the same bytes."""
        if self.before is None or self.after is None:
            return False
        return self.before.sha256 == self.after.sha256


@dataclass(frozen=True, slots=True)
class Difference:
    """Two runs, and where they are not alike. What the caller may not see is in none of it."""

    before: Run
    after: Run
    parameters: list[Changed]
    cells: list[notebook_diff.Cell]
    environment: list[Changed]
    inputs: list[Changed]  # by role
    metrics: list[Changed]
    outputs: list[Pair]

    @property
    def same(self) -> bool:
        """Whether they made the same: each output byte for byte, and each metric."""
        return not self.metrics and all(pair.same for pair in self.outputs)


def between(session: Session, actor: Actor, before: str, after: str) -> Difference:
    """Return what differs between two runs that the caller sees, or raise NotFound."""
    if actor.run_id is not None:
        raise NotAllowed("a run token opens this run's inputs and output, nothing else")
    one = policy.find(session, actor, Run, before)
    two = policy.find(session, actor, Run, after)
    return of(session, actor, one, two)


def of(session: Session, actor: Actor, one: Run, two: Run) -> Difference:
    """Return what differs between two rows that were found for this caller."""
    made = runs.outputs(session, actor, [one, two])
    return Difference(
        before=one,
        after=two,
        parameters=changed(one.parameters, two.parameters),
        cells=notebook_diff.cells(one.template.notebook, two.template.notebook),
        environment=environments.differences(one.environment, two.environment),
        inputs=changed(_inputs(one), _inputs(two)),
        metrics=changed(one.metrics, two.metrics),
        outputs=_pairs(_named(one, *made[one.id]), _named(two, *made[two.id])),
    )


def _inputs(run: Run) -> dict[str, dict[str, Any]]:
    """Return its inputs by role; one that comes again is numbered."""
    found: dict[str, dict[str, Any]] = {}
    for given in run.inputs:
        again = sum(1 for known in found if known.split(" ")[0] == given.role)
        name = given.role if not again else f"{given.role} {again + 1}"
        digest = given.sha256 or given.image.sha256
        found[name] = {"uid": given.image.uid, "name": given.image.name, "sha256": digest}
    return found


def _named(run: Run, images: Sequence[Image], files: Sequence[File]) -> Outputs:
    """Return what it made by kind and by the name that its notebook gave: without its input's."""
    prefix = f"{run.inputs[0].image.name} "
    found: Outputs = {}
    records: list[Image | File] = [*images, *files]
    for record in records:
        if record.kind not in TIMED:
            found[record.kind, record.name.removeprefix(prefix)] = record
    return found


def _pairs(before: Outputs, after: Outputs) -> list[Pair]:
    """Pair what has the same name; of what is left, the only two of a kind."""
    names = {key: key for key in before}
    for kind in {kind for kind, _ in before}:
        left = [key for key in before if key[0] == kind and key not in after]
        more = [key for key in after if key[0] == kind and key not in before]
        if len(left) == len(more) == 1:  # its input was renamed between the two
            names[left[0]] = more[0]
    pairs = [Pair(*key, before[key], after.get(names[key])) for key in before]
    pairs += [Pair(*key, None, after[key]) for key in after if key not in names.values()]
    return sorted(pairs, key=lambda pair: (pair.kind, pair.name))
