"""What runs by itself in a project, followed while something runs or waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.changing import Changing
from ..lib.view import built
from ..runs.watcher import Seen, Watcher
from . import shapes
from .catalog import Catalog, Subscription


class Subscriptions(Changing):
    """What runs by itself in a project: `Subscriptions(catalog, "demo")`.

    `change(uid, {"sigma": 3}, runs=500)`, `pause(uid)`, `resume(uid)`, `existing(uid)` and
    `end(uid)` do what the buttons do; all but `existing` can be taken back. `opened` is the uid of
    the one whose budget and values are shown to be changed. Without a `catalog` it connects to
    the one this environment names.
    """

    _esm, _css = built("subscriptions")

    catalog: Catalog

    project = t.Unicode().tag(sync=True)
    title = t.Unicode().tag(sync=True)
    subscriptions = t.List(t.Dict()).tag(sync=True)
    opened = t.Unicode().tag(sync=True)
    fields: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)  # of the opened one

    def __init__(self, catalog: Catalog | None = None, project: Any = "") -> None:
        self._found: dict[str, Subscription] = {}
        self._open: Subscription | None = None
        self._me = ""
        self._watcher = Watcher(self._look)
        super().__init__(catalog)
        self.project = project if isinstance(project, str) else project.record["name"]

    @property
    def watching(self) -> bool:
        """Is anything followed?"""
        return self._watcher.watching

    def refresh(self) -> None:
        """Read again what runs by itself, and follow it while something runs or waits."""
        with self.turn, self.telling("error"):
            self._read()
        self._follow()

    def close(self) -> None:
        """Stop following, and close the widget."""
        self._watcher.stop()
        super().close()

    def change(self, uid: str, parameters: Mapping[str, Any] | None = None, **budget: Any) -> None:
        """Change the budget of one, or values for its runs to come; what is not named stays.

        Where somebody else changed it since it was opened, that is told, and shown.
        """
        told = "What {} may spend is changed." if budget else ""
        told += " " * bool(budget and parameters)
        told += "{} runs with other values from now on." if parameters else ""
        with self.turn, self.telling("error"):
            one = self._open if self._open and self.opened == uid else self._found[uid]
            try:
                one.change(parameters or {}, **budget)
            except Exception:
                self._show_fields()
                raise
            self.opened = ""
            self._read()
            self.did(told.replace("{}", one.record["template"]["name"]), one)
        self._follow()

    def pause(self, uid: str) -> None:
        """Let one submit nothing; what matches meanwhile waits."""
        self._change(uid, "pause", "{} is paused: what matches meanwhile waits.")

    def resume(self, uid: str) -> None:
        """Let one go on."""
        self._change(uid, "resume", "{} goes on.")

    def end(self, uid: str) -> None:
        """End one: nothing is submitted any more."""
        self._change(uid, "end", "{} has ended. What was submitted goes on.")

    def existing(self, uid: str) -> None:
        """Run one on what matched before it began, too, but for what was run already."""
        told = "{} runs on what was there, too, within its budget."
        self._change(uid, "also_existing", told, lasting=True)

    def answer_change(self, asked: Mapping[str, Any]) -> None:
        """Change the budget of one, or values for its runs to come."""
        self.change(str(asked["uid"]), asked["parameters"], **asked["budget"])

    def answer_pause(self, asked: Mapping[str, Any]) -> None:
        """Let one submit nothing."""
        self.pause(str(asked["uid"]))

    def answer_resume(self, asked: Mapping[str, Any]) -> None:
        """Let one go on."""
        self.resume(str(asked["uid"]))

    def answer_existing(self, asked: Mapping[str, Any]) -> None:
        """Run one on what matched before it began."""
        self.existing(str(asked["uid"]))

    def answer_end(self, asked: Mapping[str, Any]) -> None:
        """End one."""
        self.end(str(asked["uid"]))

    @t.observe("project")
    def _other(self, _: object = None) -> None:
        self.refresh()

    @t.observe("opened")
    def _opens(self, _: object = None) -> None:
        with self.turn, self.telling("error"):
            self._open, self.fields = self._found.get(self.opened), None
            self._show_fields()

    def _show_fields(self) -> None:
        """Read the opened one as it is now: a change is then about what is seen."""
        if self._open is not None:
            self._open.refresh()
            self.fields = shapes.changeable(self._open)

    def _change(self, uid: str, way: str, told: str, *, lasting: bool = False) -> None:
        with self.turn, self.telling("error"):
            one = self._found[uid]
            name = one.record["template"]["name"]
            getattr(one, way)()
            self._read()
            self.did(told.format(name), None if lasting else one)
        self._follow()

    def _read(self) -> None:
        if not self._me:
            self._me = self.catalog.whoami().name
        project = self.catalog.project(self.project)
        told = project.record
        found = project.subscriptions
        self._found = {one.record["uid"]: one for one in found}
        role = told.get("role") or ""
        with self.hold_sync():
            self.title = told.get("title") or ""
            self.subscriptions = [shapes.subscription(one, self._me, role) for one in found]
            if self.opened not in self._found:
                self.opened = ""

    def _look(self) -> Seen:
        with self.turn, self.telling("error"):
            before = self.subscriptions
            self._read()
            return Seen(changed=self.subscriptions != before, more=self._goes_on())
        return Seen(changed=False, more=False)

    def _follow(self) -> None:
        if self._goes_on():
            self._watcher.wake()

    def _goes_on(self) -> bool:
        moving = ("running", "waiting")
        return any(one[part] for one in self.subscriptions for part in moving)
