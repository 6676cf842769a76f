"""Who belongs to a project, in which role and until when; managers change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.changing import Changing
from ..lib.view import built
from . import shapes
from .catalog import Catalog, Project

LOOKED_AT = 200  # entries of the history, in which who gave a role is found


class Members(Changing):
    """The members of a project: `Members("demo")`, or `Members(catalog.project("demo"))`.

    `put(person, role, until)` and `remove(person)` do what the view does, `undo()` takes the last
    of it back. `role` is mine. Without a `catalog` it asks the project's own, or the one that this
    environment names.
    """

    _esm, _css = built("members")

    catalog: Catalog

    project = t.Unicode().tag(sync=True)
    title = t.Unicode().tag(sync=True)
    team = t.Unicode().tag(sync=True)
    role = t.Unicode().tag(sync=True)
    me = t.Unicode().tag(sync=True)
    members = t.List(t.Dict()).tag(sync=True)
    leaders = t.List(t.Unicode()).tag(sync=True)

    def __init__(self, project: Any, *, catalog: Catalog | None = None) -> None:
        self._project: Project | None = None
        super().__init__(_catalog(project) if catalog is None else catalog)
        self.project = project if isinstance(project, str) else project.record["name"]
        self.refresh()

    def refresh(self) -> None:
        """Read the members again."""
        with self.turn, self.telling("error"):
            self._project = self.catalog.project(self.project)
            self.me = self.catalog.whoami().name
            self.leaders = self._leaders(self._project.record["team"])
            self._show()

    def put(self, person: str, role: str, until: Any = None) -> None:
        """Give a person a role, for good or until the end of a day."""
        with self.turn, self.telling("error"):
            step = self._opened().add_member(person, role, until)
            self._show()
            self.did(f"{person} is {role} now.", step)

    def remove(self, person: str) -> None:
        """End a person's membership; what they made stays."""
        with self.turn, self.telling("error"):
            step = self._opened().remove_member(person)
            self._show()
            self.did(f"{person} is no member any more.", step)

    def answer_put(self, asked: Mapping[str, Any]) -> None:
        """Give a role."""
        self.put(asked["person"], asked["role"], asked.get("ends_at") or None)

    def answer_remove(self, asked: Mapping[str, Any]) -> None:
        """End a membership."""
        self.remove(asked["person"])

    def _opened(self) -> Project:
        if self._project is None:
            self._project = self.catalog.project(self.project)
        return self._project

    def _show(self) -> None:
        told = self._opened().record
        about = f"project:{told['name']}"
        history = self.catalog.history(about=about, limit=LOOKED_AT)
        with self.hold_sync():
            self.title, self.team = told["title"], told["team"]
            self.role = told["role"] or ""
            self.members = shapes.members(told, (one.record for one in history))

    def _leaders(self, team: str) -> list[str]:
        """Return who leads the team, if I belong to it."""
        mine = [one for one in self.catalog.teams() if one.record["name"] == team]
        return list(shapes.team(mine[0])["leaders"]) if mine else []


def _catalog(project: Any) -> Any:
    """Return the catalog that a project came from, or None for a name."""
    session = getattr(project, "session", None)
    if session is None:
        return None
    import cid_client

    return cid_client.Catalog(session)
