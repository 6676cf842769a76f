"""How many notices are new: asked once a minute at most, for all views of one person."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import traitlets as t

from ..lib.shapes import Shape, texts
from ..lib.view import View
from .catalog import Catalog, Notice

EVERY = 60.0  # seconds between two questions of a kernel
SHOWN = 20

log = logging.getLogger(__name__)
_known: weakref.WeakValueDictionary[Hashable, News] = weakref.WeakValueDictionary()
_turn = threading.Lock()


class News:
    """What a person was told and has not read, for every view that joined."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.shape: Shape = {"unread": 0, "notices": []}
        self._views: weakref.WeakSet[Telling] = weakref.WeakSet()
        self._asked_at = float("-inf")
        self._turn = threading.Lock()
        self._wire = threading.Lock()  # what was asked before something was read, is told before

    def join(self, view: Telling) -> None:
        """Keep this view up to date, from what is known on."""
        with self._turn:
            self._views.add(view)
        view.news = self.shape

    def ask(self) -> None:
        """Ask the catalog, unless that was done less than a minute ago; no view waits for it."""
        with self._turn:
            now = time.monotonic()
            if now - self._asked_at < EVERY:
                return
            self._asked_at = now
        threading.Thread(target=self._look, name="cid-news", daemon=True).start()

    def read(self, uids: list[str] | None = None) -> None:
        """Mark these as read, or all."""
        with self._wire:
            self.catalog.read_notices(uids)
            self._read()

    def know(self, unread: int, notices: Iterable[Notice]) -> None:
        """Tell all views what was found, here or elsewhere."""
        new = [one for one in notices if one.read_at is None][:SHOWN]
        shape = {"unread": unread, "notices": [notice(one) for one in new]}
        with self._turn:
            self._asked_at = time.monotonic()
            self.shape = shape
            views = list(self._views)
        for view in views:
            view.set_trait("news", shape)

    def _look(self) -> None:
        try:
            with self._wire:
                self._read()
        except Exception:  # a catalog that does not answer says so where something was asked
            log.debug("no news", exc_info=True)

    def _read(self) -> None:
        found = self.catalog.notices(unread=True, limit=SHOWN)
        self.know(found.unread, found)


class Telling(View):
    """A view with a line that says how many notices are new, and shows them."""

    news = t.Dict({"unread": 0, "notices": []}).tag(sync=True)
    news_error = t.Unicode().tag(sync=True)

    _news: News | None = None

    def answer_news(self, _: Mapping[str, Any]) -> None:
        """Look for news."""
        self._joined().ask()

    def answer_read_news(self, asked: Mapping[str, Any]) -> None:
        """Mark some as read, or all."""
        uids = asked.get("uids")
        with self.telling("news_error"):
            self._joined().read(None if uids is None else [str(uid) for uid in uids])

    def _joined(self) -> News:
        if self._news is None:
            self._news = of(self.catalog)
            self._news.join(self)
        return self._news


def of(catalog: Any) -> News:
    """Return the news of whom this catalog speaks for; it lives as long as somebody holds it."""
    session = getattr(catalog, "session", None)
    key: Hashable = getattr(session, "access", id(catalog))
    with _turn:
        found = _known.get(key)
        if found is None:
            found = _known[key] = News(catalog)
        return found


def notice(of: Notice) -> Shape:
    """Return a notice as a line shows it."""
    told = {key: getattr(of, key) for key in ("uid", "kind", "about", "text", "created_at")}
    return {**texts(told, *told), "read": of.read_at is not None}
