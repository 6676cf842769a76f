"""What was thrown away in a project: brought back, or removed for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import traitlets as t

from .catalog import Record
from .changing import Changing
from .view import built

PICTURES = 6  # of one step
Shape = dict[str, Any]


class Thrown(Record, Protocol):
    """What one step threw away."""

    def restore(self) -> object:
        """Bring it back as it was."""

    def purge(self) -> object:
        """Remove it for good."""


class Project(Record, Protocol):
    """A project and its trash."""

    @property
    def trash(self) -> Sequence[Thrown]:
        """What lies in it, newest first."""


class Catalog(Protocol):
    """The question."""

    def project(self, name: str) -> Project:
        """One project."""


class Trash(Changing):
    """The trash of a project: `Trash(catalog, "demo")`.

    `restore(uid)` brings back what one step threw away, `purge(uid)` removes it for good; `thrown`
    lists the steps, `role` is mine in the project. Without a `catalog` it connects to the one this
    environment names.
    """

    _esm, _css = built("trash")

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
                urls |= {p["uid"]: p["thumbnail"] for p in _pictures(one) if p["uid"] in urls}
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
            self.thrown = [_shape(one) for one in self._thrown.values()]


def _shape(of: Thrown) -> Shape:
    told = of.record
    keys = ("uid", "what", "person", "nbytes", "records", "created_at", "purge_at")
    return {
        **{key: told[key] for key in keys},
        "images": _pictures(of),
        "datasets": list(told["datasets"]),
    }


def _pictures(of: Thrown) -> list[Shape]:
    """Return the first of its images, with their pictures."""
    pictured = [one for one in of.record["first"] if one.get("thumbnail")]
    return [{key: one[key] for key in ("uid", "name", "thumbnail")} for one in pictured[:PICTURES]]
