"""Where a rule puts what is adopted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a rule puts something, with which tags.

    view: what is made of it besides a record. mask: what it is held to; unfit: "skip" or "take".
    """

    rule: str
    project: str
    team: str = ""
    dataset: str = ""
    instrument: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    view: str = "ome-zarr"
    mask: str = ""
    unfit: str = "skip"
