"""What the notices ask of a catalog."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol


class Notice(Protocol):
    """One of them."""

    uid: str
    kind: str
    about: str
    text: str
    created_at: str
    read_at: str | None


class Notices(Protocol):
    """A list of them; `unread` counts all that are not read."""

    unread: int
    mail: dict[str, Any]

    def __iter__(self) -> Any:
        """Each."""


class Catalog(Protocol):
    """The questions."""

    def notices(self, *, unread: bool = False, limit: int = 50) -> Notices:
        """Mine, newest first."""

    def read_notices(self, notices: Iterable[str] | None = None) -> int:
        """Mark them as read."""

    def mail(self, mail: Any, address: str = "") -> dict[str, Any]:
        """Have them by mail."""
