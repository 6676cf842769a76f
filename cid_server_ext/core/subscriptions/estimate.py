"""What a subscription would do with what is there now: counted before anything begins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.session import limited
from ...db.tables import Image, Run, RunInput, Subscription
from ...errors import BadInput
from ..catalog.homes import batches
from ..estimate import estimate as estimates
from ..estimate.estimate import Estimate as Taking
from ..estimate.room import output_bytes
from ..ledger import allocations
from ..runs import submit
from ..templates import contract
from ..templates import manifest as manifests
from . import beside, chains, matching

MOST = 50_000  # images that a search may find when a subscription to it begins
PATIENCE = 3.0  # seconds of that search


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of the images that match now: those to run, run already, left out; bytes to reserve.

    `takes` says how long those to run would take, and what that costs.
    """

    matches: int
    would_run: int
    run_already: int
    left: int
    nbytes: int
    free: int
    takes: Taking

    @property
    def text(self) -> str:
        """Say it in a sentence."""
        images = "1 image matches" if self.matches == 1 else f"{self.matches} images match"
        parts = [f"{self.would_run} would be run"]
        was, is_ = ("was" if self.run_already == 1 else "were"), ("is" if self.left == 1 else "are")
        parts += [f"{self.run_already} {was} run already"] if self.run_already else []
        parts += [f"{self.left} {is_} not taken by the template"] if self.left else []
        room = f"{allocations.human(self.nbytes)} of {allocations.human(self.free)} that are free"
        takes = f"; {self.takes.says}" if self.takes.images else ""
        return f"{images} now: {', '.join(parts)}; would reserve {room}{takes}"


def there(session: Session, row: Subscription) -> list[int]:
    """Return all images that match now, or raise BadInput: too many."""
    with limited(session, PATIENCE):
        ids = matching.found(session, row, MOST + 1)
    if len(ids) > MOST:
        raise BadInput(f"search: it finds more than {MOST} images: subscribe to a narrower one")
    return ids


def run_already(session: Session, row: Subscription) -> set[int]:
    """Return the images of the project that this version ran on, or runs on, with these values.

    Other further inputs make it another question.
    """
    chosen = select(RunInput.image_id, Run.id, Run.parameters).join(RunInput.run)
    same = (Run.project_id == row.project_id) & (Run.template_id == row.template_id)
    same &= Run.state.not_in(("failed", "cancelled"))
    done = session.execute(chosen.where(same, RunInput.position == 0))
    alike = [(image, run) for image, run, parameters in done if parameters == row.parameters]
    given = beside.of_runs(session, row.template, same)
    return {image for image, run in alike if given.get(run, {}) == row.inputs}


def of(session: Session, row: Subscription, ids: Sequence[int]) -> Estimate:
    """Return what running on these images would take."""
    manifest = manifests.read(row.template.manifest)
    already = run_already(session, row).intersection(ids)
    out = chains.left_out(session, row, ids)
    known = submit.tagged(session, manifest, ids)
    left, nbytes = 0, 0
    would: list[Any] = []
    for image in _facts(session, ids):
        if image.id in already:
            continue
        if image.id in out or not _fits(manifest, image, row, known.get(image.id, ())):
            left += 1
            continue
        would.append(image)
        nbytes += output_bytes(manifest, image)
    free = allocations.room(row.project.allocation)
    takes = estimates.of(session, row.template, would, row.project)
    return Estimate(len(ids), len(would), len(already), left, nbytes, free, takes)


def _fits(
    manifest: manifests.Manifest, image: Any, row: Subscription, keys: Collection[str]
) -> bool:
    try:
        contract.require(manifest, image, row.parameters, keys)
    except BadInput:
        return False
    return True


def _facts(session: Session, ids: Sequence[int]) -> list[Any]:
    """Return of each image only what is asked: there may be very many."""
    asked = select(
        Image.id, Image.name, Image.kind, Image.axes, Image.shape, Image.dtype, Image.scale,
        Image.channels,
    )  # fmt: skip
    found: list[Any] = []
    for batch in batches(list(ids)):
        found += session.execute(asked.where(Image.id.in_(batch))).all()
    return found
