"""What a catalog tells me without having been asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from ..wire.session import Session
from .notices import Notice, Notices

PAGE = 50


class Telling:
    """The part of a catalog that has notices."""

    session: Session

    def notices(self, *, unread: bool = False, limit: int = PAGE) -> Notices:
        """Return my notices, newest first, or those that I have not read."""
        asked = {"unread": "true" if unread else None, "limit": limit}
        return Notices(self.session.get("notices", **asked))

    def read_notices(self, notices: Iterable[Notice | str] | None = None) -> int:
        """Mark notices as read, or all of mine, and return how many are left."""
        body: dict[str, Any] = {}
        if notices is not None:
            body["notices"] = [one if isinstance(one, str) else one.uid for one in notices]
        left: int = self.session.send("POST", "notices/read", body)["unread"]
        return left

    def mail(self, mail: Literal["none", "each", "daily"], address: str = "") -> dict[str, Any]:
        """Have notices by mail: none, each, or those of a day in one, to this address.

        The answer's `sent` says whether this facility sends mail at all.
        """
        body = {"mail": mail, "address": address}
        told: dict[str, Any] = self.session.send("PUT", "notices/mail", body)
        return told
