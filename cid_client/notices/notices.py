"""Notices: a batch that ended, a subscription that paused, a project that is nearly full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import display


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened (`kind`) to what (`about`, as "batch:<uid>"); `read` says whether I saw it."""

    uid: str
    kind: str
    about: str
    text: str
    created_at: str
    read_at: str | None

    @property
    def read(self) -> bool:
        """Whether it was marked as read."""
        return self.read_at is not None

    def __str__(self) -> str:
        return f"{self.created_at[:16].replace('T', ' ')}  {self.text}"


class Notices(list[Notice]):
    """Notices, newest first; `unread` counts all that are not read, listed here or not."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(Notice(**one) for one in answer["notices"])
        self.unread: int = answer["unread"]
        self.mail: dict[str, Any] = dict(answer["mail"])

    def _repr_html_(self) -> str:
        if not self:
            return "<em>no notices</em>"
        rows = [[one.created_at, one.text, "" if one.read else "new"] for one in self]
        return display.table(["when", "what", ""], rows)
