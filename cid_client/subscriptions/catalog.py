"""What a catalog runs by itself."""

from __future__ import annotations

from ..records.record import Listing
from ..wire.session import Session
from . import subscriptions
from .subscriptions import Subscription


class Subscriptions:
    """The part of a catalog that is about subscriptions; `project.subscribe` makes one."""

    session: Session

    def subscriptions(
        self, project: str | None = None, *, ended: bool = False
    ) -> Listing[Subscription]:
        """Return what runs by itself in my projects, newest first; `ended`: what did, too."""
        return subscriptions.subscriptions(self.session, project, ended)

    def subscription(self, uid: str) -> Subscription:
        """Return one by its uid, or raise NotFound."""
        return Subscription(self.session, {"uid": uid}).refresh()
