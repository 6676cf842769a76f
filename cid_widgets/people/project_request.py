"""The form that asks facility staff for a project, and what became of what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.changing import Changing
from ..lib.view import built
from . import shapes
from .catalog import Catalog

MOST = 50  # requests that are shown
EMPTY = {"name": "", "team": "", "title": "", "limit": "100 GB", "purpose": ""}


class ProjectRequest(Changing):
    """Ask for a project: `ProjectRequest(catalog)`. Staff answers; whoever asks will manage it.

    `draft` is what the form says: name, team, title, limit ("2 TB"), purpose, members (person,
    role) and terms (key, type, unit, choices). `submit()` sends it, `withdraw(uid)` takes a request
    back. `requests` are mine, newest first.
    """

    _esm, _css = built("project_request")

    catalog: Catalog

    draft = t.Dict().tag(sync=True)
    teams = t.List(t.Dict()).tag(sync=True)
    projects = t.List(t.Unicode()).tag(sync=True)
    requests = t.List(t.Dict()).tag(sync=True)

    def __init__(self, catalog: Catalog | None = None) -> None:
        super().__init__(catalog)
        self.refresh()
        self.draft = self._empty()

    def refresh(self) -> None:
        """Read my teams, projects and requests again; what the form says stays."""
        with self.turn, self.telling("error"):
            self.teams = [shapes.team(one) for one in self.catalog.teams()]
            self.projects = [one.record["name"] for one in self.catalog.projects()]
            self._show()

    def submit(self) -> None:
        """Send what the form says; what is wrong with it is told in `error`."""
        with self.turn, self.telling("error"):
            said = {**self._empty(), **self.draft}
            self.catalog.request_project(
                said["name"],
                said["team"],
                title=said["title"],
                limit=said["limit"],
                members={one["person"]: one["role"] for one in said["members"]},
                terms=said["terms"],
                purpose=said["purpose"],
            )
            self.draft = self._empty()
            self._show()
            self.did(f"You asked for {said['name']}. Facility staff will answer.")
            self.tell("sent")

    def withdraw(self, uid: str) -> None:
        """Take one of my requests back."""
        with self.turn, self.telling("error"):
            request = self.catalog.request(uid)
            request.withdraw()
            self._show()
            self.did(f"Your request for {request.record['name']} is withdrawn.")

    def answer_send(self, _: Mapping[str, Any]) -> None:
        """Send what the form says."""
        self.submit()
        if self.error:
            self.tell("refused")

    def answer_withdraw(self, asked: Mapping[str, Any]) -> None:
        """Take a request back."""
        self.withdraw(asked["uid"])

    def _empty(self) -> dict[str, Any]:
        team = self.teams[0]["name"] if self.teams else ""
        return {**EMPTY, "team": team, "members": [], "terms": []}

    def _show(self) -> None:
        me, url = self.catalog.whoami().name, self.catalog.session.url
        found = [one.record for one in self.catalog.requests(limit=MOST)]
        self.requests = [shapes.request(one, url) for one in found if one["person"] == me]
