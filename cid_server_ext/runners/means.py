"""What a conductor and its drives work with."""

from __future__ import annotations

from dataclasses import dataclass

from ..db.session import Sessions
from .clusters import Clusters


@dataclass(frozen=True, slots=True)
class Means:
    """What a drive works with. `conductor` is the name under which runs are leased."""

    sessions: Sessions
    clusters: Clusters
    url: str
    conductor: str
    poll: float = 0.5
