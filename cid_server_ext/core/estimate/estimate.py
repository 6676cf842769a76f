"""What a submit would take: seconds to its end, bytes, minutes of GPU, money, and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from ...db.tables import Project, Template
from ..ledger.allocations import human
from ..templates import manifest as manifests
from . import ahead, costs, forecast, histories, machines, said, schedule
from .costs import Price
from .forecast import SEED, Floats, Forecast, pixels
from .room import output_bytes

LOW, HIGH = 0.1, 0.9  # the interval holds four of five


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of 80 % and its middle; without history only what it takes at most."""

    low: float | None
    likely: float | None
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What images take from now to the end of the last one, and what that costs.

    `history` says from how many runs that is known. Without any there is no price, and `seconds`
    are those after which the last one would be ended, if nothing else is in the queue. Of bytes
    it says what will likely be written; what is reserved is more.
    """

    images: int
    history: int
    nbytes: int
    seconds: Interval
    gpu_minutes: float | None
    price: Price | None
    says: str


def of(
    session: Session, template: Template, images: Sequence[Any], project: Project | None = None
) -> Estimate:
    """Return what running the template on these images would take.

    An image is asked for its axes and shape; all are of `project`, or each is asked for its own.
    """
    manifest = manifests.read(template.manifest)
    known = histories.of(session, template)
    if not images:
        return Estimate(0, len(known.past), 0, Interval(0.0, 0.0, 0.0), 0.0, None, "nothing to run")
    nbytes = _bytes(session, manifest, known, images)
    groups = _by_project(images, project)
    team = next(iter(groups)).team_id
    by = known.forecast()
    workers = ahead.workers(session, team, manifest.resources, len(images))
    if by is None:
        bound = known.most * -(-len(images) // workers)
        says = f"no history yet: at most {said.time(known.most)} each, {human(nbytes)}"
        return Estimate(len(images), 0, nbytes, Interval(None, None, bound), None, None, says)
    random = np.random.default_rng(SEED)
    waits = ahead.waits(session, team, random)
    free = schedule.start(workers, waits + random.choice(known.starts(), schedule.DRAWS))
    seconds = interval(schedule.run(free, by, pixels(images), random).max(axis=1))
    took = {
        owner: machines.seconds(by, manifest.resources, group, random)
        for owner, group in groups.items()
    }
    price = costs.today(session, took)
    gpu = sum(one["gpu"] for one in took.values()) / 60
    says = _sentence(seconds, nbytes, price, by, float(np.median(waits)))
    return Estimate(len(images), by.runs, nbytes, seconds, round(gpu, 1), price, says)


def interval(drawn: Floats) -> Interval:
    """Return the interval of what was drawn."""
    low, likely, high = np.quantile(drawn, [LOW, 0.5, HIGH])
    return Interval(float(low), float(likely), float(high))


def _bytes(
    session: Session,
    manifest: manifests.Manifest,
    known: histories.History,
    images: Sequence[Any],
) -> int:
    reserved = sum(output_bytes(manifest, image) for image in images)
    part = histories.written(session, manifest, known.past)
    return reserved if part is None else round(reserved * part)


def _by_project(images: Sequence[Any], project: Project | None) -> dict[Project, list[Any]]:
    if project is not None:
        return {project: list(images)}
    groups: dict[Project, list[Any]] = {}
    for image in images:
        groups.setdefault(image.project, []).append(image)
    return groups


def _sentence(
    seconds: Interval, nbytes: int, price: Price | None, by: Forecast, waits: float
) -> str:
    parts = [said.interval(seconds.low or 0.0, seconds.likely or 0.0, seconds.high)]
    parts += [human(nbytes), *([str(price)] if price is not None else [])]
    if waits >= 60:
        parts.append(f"{said.time(waits)} of it in the queue")
    if by.runs < forecast.FEW:
        parts.append(f"known from {by.runs} run{'s' * (by.runs > 1)} only")
    return ", ".join(parts)
