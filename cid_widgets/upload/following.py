"""A deposit that is followed from its first byte to what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.view import View
from ..runs.watcher import Seen, Watcher
from . import shapes
from .catalog import Catalog, Deposit
from .memory import Kept

ENDED = ("done", "failed", "aborted")
STATES = ["ready", "sending", "importing", "done", "failed"]


class Following(View):
    """A view with one deposit under way, whose `state` goes along STATES.

    `progress` says how far its bytes are, then its import; `outcome` what came of it.
    """

    catalog: Catalog

    state = t.Enum(STATES, "ready").tag(sync=True)
    deposit: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    progress: Any = t.Dict().tag(sync=True)
    outcome: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    page = t.Unicode().tag(sync=True)  # of the project that it went to
    error = t.Unicode().tag(sync=True)

    def __init__(self, catalog: Catalog | None = None) -> None:
        self._deposit: Deposit | None = None
        self._kept: Kept | None = None
        self._watcher = Watcher(self._look)
        super().__init__(catalog)

    @property
    def images(self) -> Any:
        """The images that came of it, those that were there already included."""
        done = self.state == "done" and self._deposit is not None
        return self._deposit.became() if done and self._deposit else []

    @property
    def files(self) -> Any:
        """What is kept as files, because nothing reads it as images or because you said so."""
        if self.state != "done" or self._deposit is None:
            return []
        if self._deposit.record["kind"] == "files":
            return self._deposit.became_files()
        return self._deposit.became().files

    @property
    def watching(self) -> bool:
        """Is an import followed?"""
        return self._watcher.watching

    def refresh(self) -> None:
        """Read the projects again."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop following, and close the widget."""
        self._watcher.stop()
        super().close()

    def follow(self, deposit: Deposit, kept: Kept) -> None:
        """Follow a deposit that is imported."""
        self._deposit, self._kept = deposit, kept
        with self.hold_sync():
            self.deposit = shapes.going(deposit.record, kept, "")
            self.progress = shapes.importing(deposit.record)
            self.state = "importing"
        self._watcher.wake()

    def be_ready(self) -> None:
        """Follow nothing."""
        self._deposit = self._kept = None
        with self.hold_sync():
            self.deposit, self.outcome, self.progress, self.error = None, None, {}, ""
            self.state = "ready"

    def forget(self) -> None:
        """Remember nothing of what was under way."""
        if self._kept is not None:
            self._kept.forget()

    @property
    def url(self) -> str:
        """The catalog's address."""
        return str(self.catalog.session.url)

    def _look(self) -> Seen:
        with self.turn:
            if self._deposit is None or self.state != "importing":
                return Seen(changed=False, more=False)
            before = self.progress
            with self.telling("error"):
                told = self._deposit.refresh().record
                self.progress = shapes.importing(told)
                if told["state"] in ENDED:
                    self._end(told)
            return Seen(self.progress != before, self.state == "importing")

    def _end(self, told: Mapping[str, Any]) -> None:
        if told["state"] == "aborted":
            self.forget()
            self.be_ready()
            return
        if told["state"] == "failed":
            wrong = (told.get("error") or {}).get("message")
            self.outcome = {"message": wrong or "the import failed: tell the facility"}
            self.state = "failed"
        else:
            first = told["images"][: shapes.SHOWN]
            names = {uid: str(self.catalog.image(uid).record["name"]) for uid in first}
            with self.hold_sync():
                self.outcome = shapes.outcome(told, names)
                self.page = f"{self.url}projects/{told['project']}"
                self.state = "done"
        self.forget()
        self.refresh()
