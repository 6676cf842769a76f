"""How the night goes, in figures, for whoever watches over it."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict

from ..core import health
from .base import Ask, CidHandler, endpoint


class Shape(BaseModel):
    """Read from what the core says."""

    model_config = ConfigDict(from_attributes=True)


class LaneHealth(Shape):
    """A batch's runs for one cluster; `waited` in seconds, of those that could have begun."""

    batch: str
    team: str
    person: str
    kind: str
    priority: int
    runs: dict[str, int]
    waited: float | None
    waits: str | None


class ConductorHealth(Shape):
    """`silent`: seconds since its last sign of life; alive below 60."""

    name: str
    since: dt.datetime
    silent: float
    alive: bool
    clusters: int
    runs: int


class MailHealth(Shape):
    """Notices that should be on their way, those tried in vain, those refused within a day."""

    waiting: int
    tried: int
    refused: int


class Figures(Shape):
    """`ended` and `failures` are of the last hour; `waited`: the longest wait for a first try."""

    at: dt.datetime
    runs: dict[str, int]
    waited: float | None
    lanes: list[LaneHealth]
    lanes_left_out: int
    clusters: int
    conductors: list[ConductorHealth]
    ended: dict[str, int]
    failures: dict[str, int]
    mail: MailHealth


class Health(CidHandler):
    """health."""

    @endpoint("How queue, conductors and mail are doing", who="staff", answer=Figures)
    def get(self, ask: Ask) -> Figures:
        """Figures of this moment; a token that only reads will do."""
        return Figures.model_validate(health.figures(ask.session, ask.actor))
