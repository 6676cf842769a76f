"""A deposit that is followed from its first byte to what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import traitlets as t

from ..lib.view import View
from ..runs.watcher import Seen, Watcher
from . import shapes
from .catalog import Catalog, Deposit
from .memory import Kept

ENDED = ("done", "failed", "aborted")
STATES = ["ready", "sending", "importing", "checked", "done", "failed"]


class Following(View):
    """A view with one deposit under way, whose `state` goes along STATES.

    `progress` says how far its bytes are, then its import; `outcome` what came of it. What was only
    checked, or is asked for more by its mask, is `checked`: `report` says what it would become, and
    `bring()` brings it in.
    """

    catalog: Catalog

    mask = t.Unicode().tag(sync=True)
    tags: Any = t.Dict().tag(sync=True)

    state = t.Enum(STATES, "ready").tag(sync=True)
    deposit: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    progress: Any = t.Dict().tag(sync=True)
    report: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    wrong = t.List(t.Dict()).tag(sync=True)  # what the mask has against the tags, field by field
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

    def came(self) -> None:
        """It is done: whoever shows images may look again."""

    def bring(self) -> None:
        """Bring in what was checked, with the tags and the mask that are said now."""
        with self.turn:
            self.wrong = []
            with self.telling("error"), self.judged():
                if self._deposit is not None and self.state == "checked":
                    self.begin_import(check=False)

    def close(self) -> None:
        """Stop following, and close the widget."""
        self._watcher.stop()
        super().close()

    def follow(self, deposit: Deposit, kept: Kept) -> None:
        """Follow a deposit that is imported, or was checked."""
        self._deposit, self._kept = deposit, kept
        with self.hold_sync():
            self.mask, self.tags = kept.about.get("mask", ""), dict(kept.about.get("tags") or {})
            self.deposit = shapes.going(deposit.record, kept, "")
            if deposit.record["state"] == "open":
                self._say_what_would_be(deposit.record)
            else:
                self.progress = shapes.importing(deposit.record)
                self.state = "importing"
        if self.state == "importing":
            self._watcher.wake()

    def begin_import(self, *, check: bool) -> None:
        """All bytes are there: let the service read them, and follow it."""
        if self._deposit is None:
            return
        told = self._deposit.commit(check=check, **self._said_now()).record
        with self.hold_sync():
            self.progress, self.report = shapes.importing(told), None
            self.deposit = {**(self.deposit or {}), "check": check}
            self.state = "importing"
        self._watcher.wake()

    def _said_now(self) -> dict[str, Any]:
        """Return what is said since it was opened: of the files that are asked about, or of all."""
        if self.state != "checked" or self._kept is None:
            return {}
        before = self._kept.about.get("tags") or {}
        new = {key: value for key, value in self.tags.items() if before.get(key) != value}
        asking = (self.report or {}).get("asking") or []
        tags = {"tags_of": dict.fromkeys(asking, new)} if asking else {"tags": new}
        return {**({"mask": self.mask} if self.mask else {}), **(tags if new else {})}

    def be_ready(self) -> None:
        """Follow nothing."""
        self._deposit = self._kept = None
        with self.hold_sync():
            self.deposit, self.outcome, self.report = None, None, None
            self.progress, self.wrong, self.error = {}, [], ""
            self.state = "ready"

    def forget(self) -> None:
        """Remember nothing of what was under way."""
        if self._kept is not None:
            self._kept.forget()

    @property
    def url(self) -> str:
        """The catalog's address."""
        return str(self.catalog.session.url)

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Say of each field what is wrong with it, where the service does."""
        try:
            yield
        except Exception as error:
            self.wrong = [shapes.wrong(one) for one in getattr(error, "fields", ())]
            raise

    def _look(self) -> Seen:
        with self.turn:
            if self._deposit is None or self.state != "importing":
                return Seen(changed=False, more=False)
            before = self.progress
            with self.telling("error"):
                told = self._deposit.refresh().record
                self.progress = shapes.importing(told)
                if told["state"] == "open":
                    self._say_what_would_be(told)
                elif told["state"] in ENDED:
                    self._end(told)
            return Seen(self.progress != before, self.state == "importing")

    def _say_what_would_be(self, told: Mapping[str, Any]) -> None:
        with self.hold_sync():
            self.report = shapes.report(told)
            self.wrong = self.report["wrong"]
            self.state = "checked"

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
        if self.state == "done":
            self.came()
