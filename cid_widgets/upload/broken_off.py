"""Uploads that were broken off: listed, gone on with by the same files, or given up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import traitlets as t

from . import memory, shapes
from .catalog import Catalog
from .following import ENDED, Following
from .memory import Kept


class BrokenOff(Following):
    """A view that remembers what its pages began; `unfinished` is what nobody sends now."""

    unfinished = t.List(t.Dict()).tag(sync=True)

    def __init__(self, catalog: Catalog | None = None) -> None:
        self._memories: dict[str, Kept] = {}
        self._listed: dict[str, list[Any]] = {}  # files that a page speaks of
        super().__init__(catalog)

    def discard(self, uid: str) -> None:
        """Give up what is unfinished; nothing of it stays."""
        with self.turn, self.telling("error"):
            kept = self._memories[uid]
            self.catalog.deposit(uid).give_up()
            self.drop(kept)

    def answer_listed(self, asked: Mapping[str, Any]) -> None:
        """Hear of some files, each with path, nbytes, modified and perhaps its sha256."""
        before = self._listed.get(asked["sender"], []) if asked["start"] else []
        self._listed = {asked["sender"]: [*before, *asked["files"]]}

    def answer_gathered(self, asked: Mapping[str, Any]) -> None:
        """Tell which unfinished upload the files that were listed go on with."""
        files = self.listed(asked["sender"])
        have = {one["path"]: (one["nbytes"], one["modified"]) for one in files}
        found = next((k for k in self.all_broken_off() if _covers(have, k.missing())), None)
        known = shapes.unfinished(found) if found is not None else None
        self.tell("gathered", sender=asked["sender"], known=known)

    def answer_discard(self, asked: Mapping[str, Any]) -> None:
        """Give up what is unfinished."""
        self.discard(asked["uid"])

    def listed(self, sender: str) -> list[Any]:
        """Return the files that this page spoke of."""
        return self._listed.pop(sender, [])

    def remember(self) -> None:
        """List what was broken off, and follow what is imported or was checked."""
        for kept in memory.everything(folder(), self.url):
            try:
                deposit = self.catalog.deposit(kept.uid)
            except Exception as error:
                if getattr(error, "status", 0) == 404:
                    kept.forget()
                continue
            told = deposit.record
            waits = told["state"] == "open" and bool(told.get("report"))
            if self._deposit is None and (waits or told["state"] == "importing"):
                self.follow(deposit, kept)
            elif told["state"] == "open":
                self._memories[kept.uid] = kept
            elif told["state"] in ENDED:
                kept.forget()
        self.list_them()

    def all_broken_off(self) -> list[Kept]:
        """Return what can be gone on with; what is under way too: its page may be gone."""
        under_way = [self._kept] if self._kept is not None and self.state == "sending" else []
        return [*under_way, *self._memories.values()]

    def list_them(self) -> None:
        """Show what is broken off."""
        self.unfinished = [shapes.unfinished(kept) for kept in self._memories.values()]

    def take_up(self, kept: Kept) -> None:
        """It is under way again."""
        self._memories.pop(kept.uid, None)
        self.list_them()

    def drop(self, kept: Kept) -> None:
        """It cannot be gone on with."""
        kept.forget()
        self.take_up(kept)


def folder() -> Path | None:
    """Return where pages are remembered; None in a home that cannot be written to."""
    from cid_client.wire import environment

    try:
        return environment.state_folder() / "pages"
    except RuntimeError:  # nobody's home
        return None


def _covers(have: Mapping[str, Any], missing: Mapping[str, Any]) -> bool:
    return all(have.get(path) == known for path, known in missing.items())
