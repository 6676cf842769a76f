"""What can be run: templates, their versions, what changed between two, and withdrawing one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.changing import Changing
from ..lib.view import built
from . import shapes
from .catalog import Catalog, Version


class Templates(Changing):
    """What I may run: `Templates(catalog)`; with one opened: `Templates(catalog, "measure-psf")`.

    `opened` is the reference of the one whose versions are shown; `compare("1.0.0", "1.1.0")` shows
    what changed between two of them, `withdraw("1.0.0", reason)` lets nobody run one any more.
    Without a `catalog` it connects to the one this environment names.
    """

    _esm, _css = built("templates")

    catalog: Catalog

    templates = t.List(t.Dict()).tag(sync=True)
    opened = t.Unicode().tag(sync=True)
    versions = t.List(t.Dict()).tag(sync=True)  # of the opened one, newest first
    may_withdraw = t.List(t.Unicode()).tag(sync=True)  # those of them that I may withdraw
    difference: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)

    def __init__(self, catalog: Catalog | None = None, opened: str = "") -> None:
        self._found: dict[str, Version] = {}
        self._versions: dict[str, Version] = {}
        super().__init__(catalog)
        self.refresh()
        self.opened = opened

    def refresh(self) -> None:
        """Read again what can be run."""
        with self.turn, self.telling("error"):
            self._read()

    def compare(self, before: str, after: str) -> None:
        """Show what changed from one version of the opened template to another."""
        with self.turn, self.telling("error"):
            self.difference = None
            self.difference = shapes.difference(self._version(before).diff(after))

    def withdraw(self, version: str, reason: str) -> None:
        """Let nobody run a version of the opened template any more; its runs keep it."""
        with self.turn, self.telling("error"):
            name = self.opened
            self._version(version).withdraw(reason)
            self._read()
            self.did(f"{name} {version} is withdrawn: nobody starts it any more.")

    def answer_compare(self, asked: Mapping[str, Any]) -> None:
        """Show what changed between two versions."""
        self.compare(str(asked["before"]), str(asked["after"]))

    def answer_withdraw(self, asked: Mapping[str, Any]) -> None:
        """Let nobody run a version any more."""
        self.withdraw(str(asked["version"]), str(asked["reason"]))

    @t.observe("opened")
    def _open(self, _: object = None) -> None:
        with self.turn, self.telling("error"):
            self._read_versions()

    def _read(self) -> None:
        found = self.catalog.templates()
        self._found = {one.record["reference"]: one for one in found}
        self.templates = [shapes.template(one) for one in found]
        if self.opened and self.opened not in self._found:
            self.opened = ""
        self._read_versions()

    def _read_versions(self) -> None:
        """Read the versions of the opened one, and compare its newest with the one before."""
        if self.opened and self.opened not in self._found:
            name, self.opened = self.opened, ""
            raise LookupError(f"there is no template {name!r} that you may run")
        found = list(self._found[self.opened].versions()) if self.opened else []
        self._versions = {one.record["version"]: one for one in found}
        with self.hold_sync():
            self.difference = None
            self.may_withdraw = self._mine() if found else []
            self.versions = [shapes.version(one) for one in found]
        if len(found) > 1:
            newest, before = found[:2]
            told = before.diff(newest.record["version"])
            self.difference = shapes.difference(told)

    def _mine(self) -> list[str]:
        """Return the versions that I may withdraw: staff all, in a project managers and its own."""
        me = self.catalog.whoami()
        project = self._found[self.opened].record.get("project")
        every = me.staff
        if project and not every:
            every = self.catalog.project(project).record.get("role") == "manager"
        return [
            number
            for number, one in self._versions.items()
            if not one.record.get("withdrawn")
            and (every or (project and one.record["published_by"] == me.name))
        ]

    def _version(self, number: str) -> Version:
        if number not in self._versions:
            raise LookupError(f"{self.opened or 'no template'} has no version {number!r}")
        return self._versions[number]
