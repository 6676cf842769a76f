"""Instruments: the facility's microscopes, what they are made of, and how they are controlled."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import traitlets as t

from ..lib.view import built
from . import shapes
from .catalog import Instrument, Source
from .looking import Looking


class Instruments(Looking):
    """The facility's microscopes: `Instruments(catalog)`; staff changes them, everybody looks.

    `choose` opens one, `look` shows an earlier version of it, `compare` what is otherwise. `read`
    shows what a description would change and `confirm` does it; `register`, `change`, `retire`,
    `bring_back`, `measure` and `undo` do what the view does. Its images and masks are shown below,
    or in what `browser=` and `masks=` are. Without a `catalog` it connects to the one this
    environment names.
    """

    _esm, _css = built("instruments")

    preview: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)

    _source: Source = ""

    def read(self, description: Source | os.PathLike[str], file: str = "") -> None:
        """Show what a Microscope.JSON or OME XML (path, text or dict) says; nothing is changed."""
        with self.turn, self.telling("error"):
            source = str(description) if isinstance(description, os.PathLike) else description
            path = isinstance(source, str) and not is_text(source)
            self._source = source
            name = self.catalog.instruments.check(source).name
            called = [uid for uid, one in self._found.items() if name in _calls(one)]
            target = called[0] if len(called) == 1 else "" if name else self.opened
            self._preview(file or (Path(str(source)).name if path else ""), target)

    def aim(self, instrument: str) -> None:
        """Take what was read as a version of this microscope; "": as a new one."""
        with self.turn, self.telling("error"):
            target = self._named(instrument) if instrument else ""
            self._preview(self.preview["file"], target)

    def drop(self) -> None:
        """Forget what was read."""
        self.preview, self._source = None, ""

    def confirm(self, valid_from: str = "", why: str = "", name: str = "") -> None:
        """Save what was read: it holds from this day (now) on. `name` is for a new microscope."""
        with self.turn, self.telling("error"):
            told = self.preview
            if told is None:
                return
            new = not told["target"]
            if new:
                called = name or told["name"] or "A new microscope"
                scope = self.catalog.instruments.add(called, serial="", room="", names=[])
                told = {**told, "target": scope.record["uid"]}  # a second try adds no twin
                self._found[told["target"]], self.preview = scope, told
            scope = self._found[told["target"]]
            scope.update(self._source, valid_from=valid_from or None, why=why)
            self.drop()
            words = "is registered." if new else "has a new version."
            self._did(scope, words, None if new else scope)

    def register(
        self, name: str, serial: str = "", room: str = "", names: Sequence[str] = ()
    ) -> None:
        """Register a microscope; what it is made of is said by what is read."""
        with self.turn, self.telling("error"):
            add = self.catalog.instruments.add
            scope = add(name, serial=serial, room=room, names=list(names))
            self._did(scope, "is registered. Drop its Microscope.JSON to say what it is made of.")

    def change(self, **told: Any) -> None:
        """Change name, serial, room or names of the one that is open."""
        with self.turn, self.telling("error"):
            scope = self._found[self.opened]
            scope.change(**told)
            self._did(scope, "is changed.", scope)

    def retire(self) -> None:
        """Say that the one that is open is no longer used."""
        self._retire(True, "is retired; what it took still names it.")

    def bring_back(self) -> None:
        """Use it again."""
        self._retire(False, "is used again.")

    def measure(self, metric: str, value: float, at: str = "", **told: Any) -> None:
        """Record a number of the one that is open.

        `told` may have `unit`, `place`, `low`, `high`, `every` (days) and `note`.
        """
        with self.turn, self.telling("error"):
            scope = self._found[self.opened]
            step = scope.measured({metric: value}, at=at or None, **told)
            self._did(scope, f"has a new measurement of {metric}.", step)

    def answer_read(self, asked: Mapping[str, Any]) -> None:
        """Show what a file says; its text comes from the browser, so it names no path here."""
        if is_text(asked["text"]):
            self.read(asked["text"], asked["file"])
        else:
            what = "it is neither JSON nor XML: take a Microscope.JSON or OME XML"
            self.error = f"{asked['file']}: {what}"

    def answer_aim(self, asked: Mapping[str, Any]) -> None:
        """Take what was read as a version of another one."""
        self.aim(asked["uid"])

    def answer_drop(self, _: Mapping[str, Any]) -> None:
        """Forget what was read."""
        self.drop()

    def answer_confirm(self, asked: Mapping[str, Any]) -> None:
        """Save what was read."""
        self.confirm(asked["valid_from"], asked["why"], asked["name"])

    def answer_register(self, asked: Mapping[str, Any]) -> None:
        """Register a microscope."""
        self.register(**_about(asked))

    def answer_change(self, asked: Mapping[str, Any]) -> None:
        """Change what it is called and where it is."""
        self.change(**_about(asked))

    def answer_retire(self, asked: Mapping[str, Any]) -> None:
        """Retire it, or use it again."""
        (self.retire if asked["retired"] else self.bring_back)()

    def answer_measure(self, asked: Mapping[str, Any]) -> None:
        """Record a number."""
        self.measure(**asked["told"])

    def _preview(self, file: str, target: str) -> None:
        described = self.catalog.instruments.check(self._source)
        newest = next(iter(self._found[target].versions), None) if target else None
        self.preview = shapes.preview(described, newest, file, target)

    def _retire(self, retired: bool, words: str) -> None:
        with self.turn, self.telling("error"):
            scope = self._found[self.opened]
            scope.retire(retired)
            self._did(scope, words, scope)

    def _did(self, scope: Any, words: str, step: Any = None) -> None:
        told = scope.record
        self.did(f"“{told['name']}” {words}", step)
        self._read()
        self._show(told["uid"])


def _calls(one: Instrument) -> set[str]:
    told = one.record
    return {text for text in (told["name"], told["serial"], *told["names"]) if text}


def is_text(source: str) -> bool:
    """Say whether this is a description itself; a path to one begins with neither."""
    return source.lstrip("\ufeff \r\n\t")[:1] in ("{", "<")


def _about(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {key: asked[key] for key in ("name", "serial", "room", "names")}
