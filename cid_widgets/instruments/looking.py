"""Microscopes as everybody sees them: how they stand, what they are made of, now and before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as t

from ..browse.browser import Browser
from ..lib.changing import Changing
from ..lib.view import View
from ..masks.masks import Masks
from . import shapes
from .catalog import Catalog, Instrument, Version


class Looking(Changing):
    """The part of the widget that changes nothing."""

    catalog: Catalog

    staff = t.Bool().tag(sync=True)
    scopes = t.List(t.Dict()).tag(sync=True)
    find = t.Unicode().tag(sync=True)
    opened = t.Unicode().tag(sync=True)  # uid, or ""
    versions = t.List(t.Dict()).tag(sync=True)
    made: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    series = t.List(t.Dict()).tag(sync=True)
    masks = t.List(t.Unicode()).tag(sync=True)
    query = t.Unicode().tag(sync=True)
    beside: Any = t.Instance(View, allow_none=True).tag(  # its images or its mask, in their view
        sync=True, to_json=lambda widget, _: widget and f"IPY_MODEL_{widget.model_id}"
    )

    def __init__(
        self,
        catalog: Any | None = None,
        instrument: str = "",
        *,
        browser: Any = None,
        masks: Any = None,
        **traits: Any,
    ) -> None:
        self._found: dict[str, Instrument] = {}
        self._browser, self._masks = browser, masks
        self._views: dict[type[View], View] = {}
        super().__init__(catalog, **traits)
        self.refresh()
        if instrument:
            self.choose(instrument)

    def refresh(self, _: object = None) -> None:
        """Read the microscopes again; what is open stays open."""
        with self.turn, self.telling("error"):
            self.staff = bool(self.catalog.whoami().staff)
            self._read()
            if self.opened:
                self._show(self.opened, (self.made or {}).get("uid", ""))

    def choose(self, instrument: str) -> None:
        """Open a microscope, by name, serial number, other name or uid; "" closes it."""
        with self.turn, self.telling("error"):
            self.done = None
            self.beside = None
            if not instrument:
                self.opened = ""
                return
            self._show(self._named(instrument))

    def look(self, at: str | dt.date) -> None:
        """Show the version that held on a day, or the one of this uid."""
        with self.turn, self.telling("error"):
            found = {one.uid: one for one in self._versions()}
            one = found.get(str(at)) or self._on(at)
            self._make(one.uid)

    def compare(self, version: str) -> None:
        """Say what is otherwise in the version that is shown than in this one; "" compares none."""
        with self.turn, self.telling("error"):
            self._make(self.made["uid"], version)

    def show_images(self) -> None:
        """Search for what it took, in the browser that was given; else below."""
        with self.turn, self.telling("error"):
            browser = self._browser or self._own(Browser)
            browser.dataset = browser.project = ""
            browser.query = self.query
            if self._browser is None:
                self.beside = browser  # it has found them before it is drawn
            else:
                self.did("The browser shows its images.")

    def show_mask(self, name: str) -> None:
        """Open one of its masks, in the view of masks that was given; else below."""
        with self.turn, self.telling("error"):
            masks = self._masks or self._own(Masks)
            masks.choose(name)
            if self._masks is None:
                self.beside = masks
            else:
                self.did(f"“{name}” is open in the view of masks.")

    def put_away(self) -> None:
        """Show its images or its mask no more."""
        self.beside = None

    def close(self) -> None:
        """Close what is shown below, too."""
        for widget in self._views.values():
            widget.close()
        super().close()

    def answer_choose(self, asked: Mapping[str, Any]) -> None:
        """Open a microscope."""
        self.choose(asked["uid"])

    def answer_look(self, asked: Mapping[str, Any]) -> None:
        """Show a version."""
        self.look(asked["at"])

    def answer_compare(self, asked: Mapping[str, Any]) -> None:
        """Compare with a version."""
        self.compare(asked["version"])

    def answer_show_images(self, _: Mapping[str, Any]) -> None:
        """Search for its images."""
        self.show_images()

    def answer_show_mask(self, asked: Mapping[str, Any]) -> None:
        """Open one of its masks."""
        self.show_mask(asked["name"])

    def answer_put_away(self, _: Mapping[str, Any]) -> None:
        """Show its images or its mask no more."""
        self.put_away()

    def _own(self, kind: type[View]) -> Any:
        """Return the view of this kind that can be shown below; made once."""
        if kind not in self._views:
            self._views[kind] = kind(self.catalog)
        return self._views[kind]

    def _read(self) -> None:
        register = self.catalog.instruments
        self._found = {one.record["uid"]: one for one in register.all()}
        standing: dict[str, Any] = {}
        try:
            standing = {one.uid: one for one in register.standing()}
        finally:  # a search that takes too long leaves the list without its numbers
            rows = self._found.items()
            self.scopes = [shapes.line(one, standing.get(uid)) for uid, one in rows]

    def _show(self, uid: str, version: str = "") -> None:
        scope = self._found[uid]
        now = dt.datetime.now(dt.UTC)
        held, controls = self.catalog.masks.all(), scope.controls.series
        with self.hold_sync():
            self.opened, self.query = uid, scope.query
            self.versions = [shapes.version(one) for one in scope.versions]
            self.series = [shapes.series(name, rows, now) for name, rows in controls.items()]
            self.masks = shapes.mask_names(held, uid)
            known = [one["uid"] for one in self.versions]
            if not known:
                self.made = None
            else:
                self._make(version if version in known else self._on(now).uid)

    def _make(self, uid: str, against: str | None = None) -> None:
        several = list(self._versions())
        found = {one.uid: (at, one) for at, one in enumerate(several)}
        at, one = found[uid]
        before = several[at + 1] if at + 1 < len(several) else None
        if against is not None:
            before = found[against][1] if against else None
        self.made = shapes.made(one, before)

    def _versions(self) -> Sequence[Version]:
        return self._found[self.opened].versions

    def _on(self, at: Any) -> Version:
        """Return the version that held at a moment or on a day; else the first one."""
        told = dt.datetime.fromisoformat(str(at))
        moment = told if told.tzinfo else told.replace(tzinfo=dt.UTC)
        if len(str(at)) == len("2026-01-01"):
            moment += dt.timedelta(days=1, microseconds=-1)
        several = self._versions()
        return next((one for one in several if one.valid_from <= moment), several[-1])

    def _named(self, called: str) -> str:
        if called in self._found:
            return called
        return str(self.catalog.instruments[called].record["uid"])
