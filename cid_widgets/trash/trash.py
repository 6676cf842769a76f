"""What was thrown away in a project: brought back, or removed for good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.changing import Changing
from ..lib.view import built
from . import shapes
from .catalog import Catalog, Thrown


class Trash(Changing):
    """The trash of a project: `Trash(catalog, "demo")`.

    `restore(uid)` brings back what one step threw away, `purge(uid)` removes it for good; `thrown`
    lists the steps, `role` is mine in the project. Without a `catalog` it connects to the one this
    environment names.
    """

    _esm, _css = built("trash")

    catalog: Catalog

    project = t.Unicode().tag(sync=True)
    title = t.Unicode().tag(sync=True)
    role = t.Unicode().tag(sync=True)  # empty where I look as staff
    allocation: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    thrown = t.List(t.Dict()).tag(sync=True)

    def __init__(self, catalog: Catalog | None = None, project: Any = "") -> None:
        self._thrown: dict[str, Thrown] = {}
        super().__init__(catalog)
        self.project = project if isinstance(project, str) else project.record["name"]

    def refresh(self) -> None:
        """Read again what lies in it."""
        with self.turn, self.telling("error"):
            self._read()

    def restore(self, uid: str) -> None:
        """Bring back what one step threw away, as it was."""
        with self.turn, self.telling("error"):
            one = self._thrown[uid]
            one.restore()
            self._read()
            self.did(f"{one.record['what']} is back where it was.")

    def purge(self, uid: str) -> None:
        """Remove what one step threw away: nothing brings it back. Managers may."""
        with self.turn, self.telling("error"):
            one = self._thrown[uid]
            one.purge()
            self._read()
            self.did(f"{one.record['what']} was removed for good.")

    def answer_restore(self, asked: Mapping[str, Any]) -> None:
        """Bring back what one step threw away."""
        self.restore(str(asked["uid"]))

    def answer_purge(self, asked: Mapping[str, Any]) -> None:
        """Remove what one step threw away."""
        self.purge(str(asked["uid"]))

    def answer_thumbnails(self, asked: Mapping[str, Any]) -> None:
        """Tell fresh addresses of pictures; what is in the trash has them only here."""
        urls: dict[str, str] = dict.fromkeys(asked["uids"], "")
        with self.telling("error"):
            for one in self.catalog.project(self.project).trash:
                urls |= {p["uid"]: p["thumbnail"] for p in shapes.pictures(one) if p["uid"] in urls}
        self.tell("thumbnails", urls=urls)

    @t.observe("project")
    def _other(self, _: object = None) -> None:
        self.refresh()

    def _read(self) -> None:
        project = self.catalog.project(self.project)
        self._thrown = {one.record["uid"]: one for one in project.trash}
        told = project.record
        with self.hold_sync():
            self.title, self.role = told.get("title") or "", told.get("role") or ""
            self.allocation = told.get("allocation")
            self.thrown = [shapes.thrown(one) for one in self._thrown.values()]
