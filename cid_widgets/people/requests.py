"""The requests for projects as facility staff answers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as t

from ..lib.changing import Changing
from ..lib.view import built
from . import shapes
from .catalog import Catalog

MOST = 200  # requests that are shown
STATES = ("asked", "approved", "refused", "withdrawn", "")


class Requests(Changing):
    """The inbox of facility staff: `Requests(catalog)`.

    `state` says which are shown: asked (they wait), approved, refused, withdrawn or "" for all;
    `opened` is the uid of the one that is looked at. `approve(uid, ...)` and `refuse(uid, reason)`
    do what the buttons do. `taken` are the names that projects have already, `rooms` how full the
    teams are that were looked at.
    """

    _esm, _css = built("requests")

    catalog: Catalog

    state = t.Enum(STATES, default_value="asked").tag(sync=True)
    opened = t.Unicode().tag(sync=True)
    requests = t.List(t.Dict()).tag(sync=True)
    teams = t.List(t.Dict()).tag(sync=True)
    taken = t.List(t.Unicode()).tag(sync=True)
    rooms = t.Dict().tag(sync=True)

    def __init__(self, catalog: Catalog | None = None) -> None:
        super().__init__(catalog)
        self.refresh()

    def refresh(self) -> None:
        """Read the requests and the teams again."""
        with self.turn, self.telling("error"):
            self.teams = [shapes.team(one) for one in self.catalog.teams()]
            self.taken = sorted(name for team in self.teams for name in team["projects"])
            self.rooms = {}
            self._show()
            self._look()

    def approve(
        self,
        uid: str,
        *,
        name: str | None = None,
        team: str | None = None,
        limit: str | int | None = None,
        leaders: Sequence[str] = (),
        terms: Sequence[Any] | None = None,
    ) -> None:
        """Make the project; what is given here replaces what was asked for."""
        with self.turn, self.telling("error"):
            request = self.catalog.request(uid)
            request.approve(name=name, team=team, limit=limit, leaders=leaders, terms=terms)
            self._answered(uid)
            self.did(f"The project {request.record['project']} is made.")

    def refuse(self, uid: str, reason: str) -> None:
        """Say no; who asked reads the reason."""
        with self.turn, self.telling("error"):
            request = self.catalog.request(uid)
            request.refuse(reason)
            self._answered(uid)
            told = request.record
            self.did(f"{told['person']} can read why {told['name']} is refused.")

    def answer_approve(self, asked: Mapping[str, Any]) -> None:
        """Approve one, with what staff has changed in it."""
        keys = ("name", "team", "limit", "terms")
        given = {key: asked[key] for key in keys if asked.get(key) is not None}
        self.approve(asked["uid"], leaders=asked.get("leaders") or (), **given)

    def answer_refuse(self, asked: Mapping[str, Any]) -> None:
        """Refuse one."""
        self.refuse(asked["uid"], asked["reason"])

    def answer_room(self, asked: Mapping[str, Any]) -> None:
        """Read how full a team is."""
        with self.telling("error"):
            self._read_room(asked["team"])

    @t.observe("state")
    def _choose(self, _: object = None) -> None:
        with self.turn, self.telling("error"):
            self._show()

    @t.observe("opened")
    def _open(self, _: object = None) -> None:
        with self.turn, self.telling("error"):
            self._look()

    def _answered(self, uid: str) -> None:
        """Show all anew, the answered one with what came of it."""
        self.teams = [shapes.team(one) for one in self.catalog.teams()]
        self.taken = sorted(name for team in self.teams for name in team["projects"])
        self.rooms = {}
        self._show(answered=uid)

    def _show(self, answered: str | None = None) -> None:
        url = self.catalog.session.url
        found = [one.record for one in self.catalog.requests(self.state or None, limit=MOST)]
        if answered is not None and all(one["uid"] != answered for one in found):
            found.insert(0, self.catalog.request(answered).record)
        self.requests = [shapes.request(one, url) for one in found]

    def _look(self) -> None:
        for one in self.requests:
            if one["uid"] == self.opened:
                self._read_room(one["team"])

    def _read_room(self, team: str) -> None:
        """A team that is not there yet has no room; nor is it asked twice."""
        if team not in self.rooms and any(one["name"] == team for one in self.teams):
            told = shapes.room(self.catalog.team(team).usage())
            self.rooms = {**self.rooms, team: told}
