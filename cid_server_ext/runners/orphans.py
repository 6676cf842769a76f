"""Ends the clusters that no run uses: what a conductor left behind that was killed, or a gateway.

Several conductors share one account at the gateway. A cluster may be somebody's though no run names
it: it was opened a moment ago, or its last task is tidying up. So it is ended when it was seen
without a run for a while.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

from ..core.queue import leases
from ..db.session import Sessions
from .clusters import Clusters

log = logging.getLogger("cid.conductor")

LOOK_SECONDS = 10.0
UNUSED_SECONDS = 20.0


class Orphans:
    """Looks now and then at the clusters that run, and ends those that nobody uses."""

    def __init__(self, sessions: Sessions, clusters: Clusters) -> None:
        self._sessions = sessions
        self._clusters = clusters
        self._unused_since: dict[str, float] = {}
        self._next = 0.0

    def look(self, own: Collection[str] = ()) -> bool:
        """End what nobody uses, if it is time to look; False: the gateway does not answer.

        `own` are the caller's clusters.
        """
        now = time.monotonic()
        if now < self._next:
            return True
        with self._sessions() as session:
            used = leases.live_clusters(session) | set(own)
        try:
            unused = set(self._clusters.list_mine()) - used
        except Exception as error:
            log.warning("the gateway does not say which clusters run: %s", error)
            return False
        self._next = now + LOOK_SECONDS
        since = {name: self._unused_since.get(name, now) for name in unused}
        self._unused_since = since
        for name in sorted(unused):
            if now - since[name] >= UNUSED_SECONDS:
                self._stop(name)
        return True

    def soon(self) -> None:
        """Look when asked the next time: the gateway did not answer."""
        self._next = 0.0

    def _stop(self, name: str) -> None:
        log.warning("cluster %s belongs to no run", name)
        try:
            self._clusters.stop(name)
        except Exception as error:
            log.warning("cluster %s could not be stopped: %s", name, error)
