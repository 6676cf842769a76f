"""From image to image through runs, over any depth: what it was made from, what was made from it.

A way ends where the caller may not see: what lies behind a hidden image is not told, nor that
there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import CTE, BigInteger, Select, cast, func, literal, select
from sqlalchemy.orm import Session, aliased, defer, joinedload, selectinload

from ...db.tables import Dataset, Image, Record, Run, RunInput
from .. import policy
from ..actor import Actor
from ..catalog.homes import batches

DEEPEST = 100  # steps
MOST = 1000  # images


@dataclass(frozen=True, slots=True)
class Step:
    """A run with those of its inputs and outputs that are in the lineage, by uid."""

    run: Run
    inputs: list[str]
    outputs: list[str]


@dataclass(frozen=True, slots=True)
class Lineage:
    """Images on the way, nearest first, and the runs between them; `more`: it was cut."""

    images: list[Image]
    steps: list[Step]
    more: bool


def of(
    session: Session, actor: Actor, image: Image, *, back: bool, forth: bool, depth: int
) -> Lineage:
    """Return what an image was made from (`back`) and what was made from it (`forth`)."""
    depth = min(depth, DEEPEST)
    found: dict[int, int] = {}
    for wanted, way in ((back, _before), (forth, _after)):
        if wanted:
            for number, far in session.execute(way(actor, image.id, depth)):
                found[number] = min(far, found.get(number, far))
    found.pop(image.id, None)
    near = sorted(found, key=lambda number: (found[number], number))
    kept = near[:MOST]
    rows = {row.id: row for ids in batches(kept) for row in session.scalars(_rows(actor, ids))}
    images = [rows[number] for number in kept if number in rows]
    steps = _steps(session, actor, [image, *images], image, back=back, forth=forth)
    return Lineage(images, steps, len(near) > MOST)


def _before(actor: Actor, start: int, depth: int) -> Select[int, int]:
    way = select(cast(start, BigInteger).label("id"), literal(0).label("steps")).cte(
        "way", recursive=True
    )
    made = aliased(Record)
    step = (
        select(Image.id, way.c.steps + 1)
        .select_from(way)
        .join(made, made.id == way.c.id)
        .join(RunInput, RunInput.run_id == made.run_id)
        .join(Image, Image.id == RunInput.image_id)
        .where(way.c.steps < depth, policy.reachable(actor, "viewer", Image))
    )
    return _nearest(way.union(step))


def _after(actor: Actor, start: int, depth: int) -> Select[int, int]:
    way = select(cast(start, BigInteger).label("id"), literal(0).label("steps")).cte(
        "way", recursive=True
    )
    step = (
        select(Image.id, way.c.steps + 1)
        .select_from(way)
        .join(RunInput, RunInput.image_id == way.c.id)
        .join(Image, Image.run_id == RunInput.run_id)
        .where(way.c.steps < depth, policy.reachable(actor, "viewer", Image))
    )
    return _nearest(way.union(step))


def _nearest(way: CTE) -> Select[int, int]:
    steps = func.min(way.c.steps)
    return select(way.c.id, steps).group_by(way.c.id).order_by(steps, way.c.id).limit(MOST + 2)


def _rows(actor: Actor, ids: Sequence[int]) -> Select[Image]:
    home = joinedload(Record.dataset, innerjoin=True).joinedload(Dataset.project, innerjoin=True)
    return (
        policy.visible(actor, Image).where(Image.id.in_(ids)).options(home, defer(Image.channels))
    )


def _steps(
    session: Session, actor: Actor, images: list[Image], of: Image, *, back: bool, forth: bool
) -> list[Step]:
    """Return the visible runs that made these images or read them, in the order of submit.

    A run that read the image itself is told though it made none; one that reads what lies at the
    end of the way, and made nothing of it, is not.
    """
    uids = {image.id: image.uid for image in images}
    made: dict[int, list[str]] = {}
    for image in images:
        if image.run_id is not None and (back or image is not of):
            made.setdefault(image.run_id, []).append(image.uid)
    runs = {*made}
    if forth:
        runs |= set(session.scalars(select(RunInput.run_id).where(RunInput.image_id == of.id)))
    steps = []
    for ids in batches(sorted(runs)):
        asked = policy.visible(actor, Run).where(Run.id.in_(ids)).order_by(Run.id)
        for run in session.scalars(
            asked.options(selectinload(Run.inputs), selectinload(Run.template))
        ):
            inputs = [uids[given.image_id] for given in run.inputs if given.image_id in uids]
            if inputs or run.id in made:
                steps.append(Step(run, inputs, made.get(run.id, [])))
    return steps
