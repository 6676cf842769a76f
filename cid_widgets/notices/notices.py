"""Notices: listed, marked as read, and by mail or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.changing import Changing
from ..lib.view import built
from ..runs.watcher import Seen, Watcher
from . import news
from .catalog import Catalog

SHOWN = 50


class Looking(Watcher):
    """Looks for news all the time, but not often."""

    shortest = 5.0
    longest = 20.0


class Notices(Changing):
    """What I am told: `Notices(catalog)`. `unread` counts what I have not read.

    It looks for news by itself while it is shown. Without a `catalog` it connects to the one this
    environment names.
    """

    _esm, _css = built("notices")

    catalog: Catalog

    notices = t.List(t.Dict()).tag(sync=True)
    unread = t.Int().tag(sync=True)
    mail = t.Dict().tag(sync=True)

    def __init__(self, catalog: Catalog | None = None) -> None:
        self._watcher = Looking(self._look)
        super().__init__(catalog)
        self._news = news.of(self.catalog)  # what others have a line of
        self.refresh()
        self._watcher.wake()

    def refresh(self) -> None:
        """Read them again."""
        with self.turn, self.telling("error"):
            self._read()

    def read(self, uids: list[str] | None = None) -> None:
        """Mark these as read, or all."""
        with self.turn, self.telling("error"):
            self.catalog.read_notices(uids)
            self._read()

    def wish(self, mail: str, address: str = "") -> None:
        """Have them by mail: none, each, or daily."""
        with self.turn, self.telling("error"):
            self.mail = dict(self.catalog.mail(mail, address))
            words = {"none": "No notice goes out by mail.", "each": "Each goes out by mail."}
            self.did(words.get(mail, "Those of a day go out in one mail."))

    def close(self) -> None:
        """Look no more, and close the widget."""
        self._watcher.stop()
        super().close()

    def answer_read(self, asked: Mapping[str, Any]) -> None:
        """Mark some as read, or all."""
        uids = asked.get("uids")
        self.read(None if uids is None else [str(uid) for uid in uids])

    def answer_wish(self, asked: Mapping[str, Any]) -> None:
        """Have them by mail, or not."""
        self.wish(str(asked["mail"]), str(asked.get("address") or ""))

    def _read(self) -> None:
        found = self.catalog.notices(limit=SHOWN)
        self._news.know(found.unread, found)
        rows = [news.notice(one) for one in found]
        with self.hold_sync():
            self.notices, self.unread, self.mail = rows, found.unread, dict(found.mail)

    def _look(self) -> Seen:
        before = self.unread
        self.refresh()
        return Seen(changed=self.unread != before, more=True)
