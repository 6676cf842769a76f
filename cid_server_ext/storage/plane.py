"""What the data plane knows: a root and a signer. No identity, no database."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ..errors import NotFound, NotLoggedIn, OverQuota
from . import uploads
from .arriving import Hashes
from .downloads import Batches
from .inplace import Roots
from .intake import sweep
from .revoked import Revoked
from .roots import Folder
from .tickets import Right, Signer

FRESH = 2.0  # seconds after which the bytes below a prefix are counted anew
CALM = 20  # and never more than 1/20 of the time is spent on counting


@dataclass(slots=True)
class Gauge:
    """How many bytes lie below each write prefix, counted on disk and kept for a moment.

    Counting on every small file of a large deposit would be quadratic; another replica's writes
    are seen when the count is renewed, and the commit counts again in any case.
    """

    root: Folder
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)  # bytes, good until

    def admit(self, prefix: str, nbytes: int, limit: int) -> None:
        """Count `nbytes` below `prefix`, or raise OverQuota when they would exceed `limit`."""
        start = time.monotonic()
        used, until = self._seen.get(prefix, (0, 0.0))
        if start >= until:
            used, now = self._count(prefix), time.monotonic()
            until = now + max(FRESH, CALM * (now - start))
            self._seen = {key: seen for key, seen in self._seen.items() if seen[1] > now}
        if used + nbytes > limit:
            raise OverQuota(
                f"{nbytes} bytes more would exceed the {limit} bytes reserved for this deposit:"
                " declare all files and their sizes when it is opened"
            )
        self._seen[prefix] = (used + nbytes, until)

    def release(self, prefix: str, nbytes: int) -> None:
        """Give back bytes that were admitted and did not stay."""
        if prefix in self._seen:
            used, until = self._seen[prefix]
            self._seen[prefix] = (used - nbytes, until)

    def _count(self, prefix: str) -> int:
        place = self.root.path(prefix)
        sweep(place)
        coming = uploads.announced(place)
        try:
            return coming + self.root.nbytes(prefix)
        except NotFound:
            return coming


@dataclass(frozen=True, slots=True)
class DataPlane:
    """The value of `settings["cid_data"]`."""

    root: Folder
    signer: Signer
    roots: Roots = field(default_factory=Roots)
    gauge: Gauge = field(init=False)
    revoked: Revoked = field(init=False)
    hashes: Hashes = field(init=False)
    batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "gauge", Gauge(self.root))
        object.__setattr__(self, "revoked", Revoked(self.root.root))
        object.__setattr__(self, "hashes", Hashes())
        object.__setattr__(self, "batches", Batches(self.root))

    def opened_by(self, ticket: str, late: float = 0) -> Right:
        """Return what a ticket opens; NotLoggedIn: not ours, ended, or taken back.

        `late`: it may have ended, at most so many seconds ago.
        """
        right = self.signer.verify(ticket, late)
        if not self.holds(right):
            raise NotLoggedIn("this link was taken back: ask the catalog for a new one")
        return right

    def holds(self, right: Right) -> bool:
        """Return whether a right that was given was not taken back since."""
        return right.since >= self.revoked.lately().of(right.who, right.prefix)
