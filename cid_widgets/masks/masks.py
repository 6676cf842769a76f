"""Masks: what uploads must say, written as a form or as YAML, tried on names, saved in versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.changing import Changing
from ..lib.view import built
from . import shapes
from .catalog import Catalog

NEW = "mask: A new mask\nfields:\n  - key: Cell type\n    required: true\n"


class Masks(Changing):
    """The facility's masks: `Masks(catalog)`; staff saves them, everybody may try them.

    `choose` shows one, `begin` a new one; `text` is the draft as YAML and `document` what it says,
    both change each other; `names` are file names to try it on, one a line. `save`, `retire`,
    `bring_back` and `undo` do what the view does; `put_back` takes an earlier version's text as the
    draft. Without a `catalog` it connects to the one this environment names.
    """

    _esm, _css = built("masks")

    catalog: Catalog

    staff = t.Bool().tag(sync=True)
    masks = t.List(t.Dict()).tag(sync=True)
    instruments = t.List(t.Unicode()).tag(sync=True)
    opened = t.Unicode().tag(sync=True)  # uid; "" is a new one, or none
    text = t.Unicode().tag(sync=True)
    saved = t.Unicode().tag(sync=True)  # the text of the newest version
    document = t.Dict().tag(sync=True)
    wrong = t.List(t.Dict()).tag(sync=True)
    names = t.Unicode().tag(sync=True)
    tried = t.List(t.Dict()).tag(sync=True)
    versions = t.List(t.Dict()).tag(sync=True)
    changes = t.Dict().tag(sync=True)  # of the versions that were looked at: number -> lines

    def __init__(self, catalog: Any | None = None, mask: str = "", **traits: Any) -> None:
        super().__init__(catalog, **traits)
        self.refresh()
        if mask:
            self.choose(mask)

    def refresh(self, _: object = None) -> None:
        """Read the masks again; a draft stays."""
        with self.turn, self.telling("error"):
            self.staff = bool(self.catalog.whoami().staff)
            known = [one.record for one in self.catalog.instruments]
            self.instruments = [one["name"] for one in known if not one["retired"]]
            self.masks = [shapes.line(one.record) for one in self.catalog.masks.all()]
            if self.opened:
                self._show(self.opened, keep=self.text != self.saved)

    def choose(self, mask: str) -> None:
        """Show a mask, by name or uid."""
        with self.turn, self.telling("error"):
            self._show(mask)
            self.done = None

    def begin(self) -> None:
        """Begin a new mask."""
        with self.turn, self.telling("error"):
            with self.hold_sync():
                self.opened, self.saved, self.versions, self.changes = "", "", [], {}
                self.done = None
                self.text = NEW
            self._check()

    def save(self, note: str = "") -> None:
        """Save the draft: the next version of what is open, or a new mask."""
        with self.turn, self.telling("error"):
            masks = self.catalog.masks
            text = self.text if "\n" in self.text else f"{self.text}\n"
            one = masks[self.opened].save(text, note) if self.opened else masks.save(text, note)
            told = one.record
            self.did(f"“{told['name']}”, version {told['version']['number']}, is saved.")
            self.masks = [shapes.line(each.record) for each in masks.all()]
            self._show(told["uid"])

    def retire(self) -> None:
        """Let new uploads use it no more."""
        self._retire(True, "is retired: new uploads use it no more.")

    def bring_back(self) -> None:
        """Let new uploads use it again."""
        self._retire(False, "is used again.")

    def put_back(self, version: int) -> None:
        """Take the text of an earlier version as the draft."""
        with self.turn, self.telling("error"):
            self.text = self.catalog.masks[self.opened].at(version).text

    def look(self, version: int) -> None:
        """Say what a version changed."""
        with self.turn, self.telling("error"):
            whole = self.catalog.masks[self.opened].at(version)
            lines = [shapes.changed(one) for one in whole.changes]
            self.changes = {**self.changes, str(version): lines or ["the first one"]}

    def write(self, document: Mapping[str, Any]) -> None:
        """Make this the draft; the text follows."""
        with self.turn, self.telling("error"):
            found = self.catalog.masks.check((), source=document)
            self.text = found.text or ""

    @t.observe("text", "names")
    def _checked(self, _: object = None) -> None:
        with self.turn, self.telling("error"):
            self._check()

    def answer_open(self, asked: Mapping[str, Any]) -> None:
        """Show a mask, or begin one."""
        if asked["mask"]:
            self.choose(asked["mask"])
        else:
            self.begin()

    def answer_type(self, asked: Mapping[str, Any]) -> None:
        """Take what was typed as the draft."""
        self.text = asked["text"]

    def answer_write(self, asked: Mapping[str, Any]) -> None:
        """Take what the form says as the draft."""
        self.write(asked["document"])

    def answer_save(self, asked: Mapping[str, Any]) -> None:
        """Save the draft."""
        self.save(asked["note"])

    def answer_retire(self, asked: Mapping[str, Any]) -> None:
        """Retire it, or use it again."""
        (self.retire if asked["retired"] else self.bring_back)()

    def answer_look(self, asked: Mapping[str, Any]) -> None:
        """Say what a version changed."""
        self.look(asked["version"])

    def answer_put_back(self, asked: Mapping[str, Any]) -> None:
        """Take an earlier version as the draft."""
        self.put_back(asked["version"])

    def _check(self) -> None:
        if not self.text.strip():
            self.document, self.wrong, self.tried = {}, [], []
            return
        names = [line.strip() for line in self.names.splitlines() if line.strip()]
        found = self.catalog.masks.check(names, source=f"{self.text}\n")
        with self.hold_sync():
            self.document = dict(found.document or {})
            self.wrong = [shapes.wrong(one) for one in found.wrong]
            self.tried = [shapes.tried(one) for one in found.files]

    def _show(self, mask: str, *, keep: bool = False) -> None:
        told = self.catalog.masks[mask].record
        with self.hold_sync():
            self.opened = told["uid"]
            self.saved = told["version"]["text"]
            self.versions = [shapes.version(one) for one in told["versions"]]
            self.changes = {}
            if not keep:
                self.text = self.saved

    def _retire(self, retired: bool, words: str) -> None:
        with self.turn, self.telling("error"):
            one = self.catalog.masks[self.opened].retire(retired)
            self.did(f"“{one.record['name']}” {words}", one)
            self.masks = [shapes.line(each.record) for each in self.catalog.masks.all()]
