"""Whether the GPU minutes that a team has left this month are enough for what it submits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from ...db.tables import Image, Template
from ...errors import OverQuota
from ..queue import limits
from . import histories, machines
from .forecast import SEED

FIX = "choose fewer images, wait for the next month, or ask staff for more"


def require(session: Session, template: Template, images: Sequence[Image]) -> None:
    """Raise OverQuota naming what is missing, if the minutes will not do."""
    for said in lacking(session, template, images):
        raise OverQuota(f"{said}: {FIX}")


def lacking(session: Session, template: Template, images: Sequence[Image]) -> list[str]:
    """Return a sentence for each team whose minutes will not do.

    Without history none is refused that has any left.
    """
    resources = histories.resources(template)
    teams: dict[int, list[Image]] = {}
    for image in images:
        if machines.on_gpu(resources, image):
            teams.setdefault(image.project.team_id, []).append(image)
    said = []
    for team, group in teams.items():
        left = limits.gpu_left(session, team)
        if left is None:
            continue
        needed = _minutes(session, template, group)
        if left <= 0:
            said.append("the team has no GPU minutes left this month")
        elif needed > left:
            has = f"the team has {left:.0f} GPU minutes left this month"
            said.append(f"{has}, this takes about {needed:.0f}")
    return said


def _minutes(session: Session, template: Template, images: Sequence[Image]) -> float:
    by = histories.of(session, template).forecast()
    if by is None:
        return 0.0
    random = np.random.default_rng(SEED)
    return machines.seconds(by, histories.resources(template), images, random)["gpu"] / 60
