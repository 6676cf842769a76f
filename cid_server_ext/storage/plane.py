"""What the data plane knows: a root and a signer. No identity, no database."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import NotLoggedIn
from .afar import Maker, Site
from .arriving import Hashes
from .downloads import Batches
from .gauge import MOST_FILES, Gauge
from .inplace import Roots
from .revoked import Revoked
from .roots import Folder
from .tickets import Right, Signer


@dataclass(frozen=True, slots=True)
class DataPlane:
    """The value of `settings["cid_data"]`."""

    root: Folder
    signer: Signer
    roots: Roots = field(default_factory=Roots)
    maker: Maker | None = None  # of what is made of pixels in place
    most_files: int = MOST_FILES  # of one deposit
    gauge: Gauge = field(init=False)
    revoked: Revoked = field(init=False)
    hashes: Hashes = field(init=False)
    batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "gauge", Gauge(self.root, self.most_files))
        object.__setattr__(self, "revoked", Revoked(self.root.root))
        object.__setattr__(self, "hashes", Hashes())
        site = Site(self.root.root, self.roots, self.maker)
        object.__setattr__(self, "batches", Batches(self.root, site))

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
