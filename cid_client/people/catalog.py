"""What a catalog tells of people: requests for projects, teams, and who leaves."""

from __future__ import annotations

from collections.abc import Mapping

from ..records.record import Listing, listing
from ..wire.session import Session
from . import leaving, requests
from .leaving import Belongings, Handover
from .requests import Request, Terms
from .teams import Team

PAGE = 50


class People:
    """The part of a catalog that is about people."""

    session: Session

    def request_project(
        self,
        name: str,
        team: str,
        *,
        limit: str | int,
        title: str = "",
        members: Mapping[str, str] | None = None,
        terms: Terms = (),
        purpose: str = "",
    ) -> Request:
        """Ask facility staff for a project, which I will manage: `limit` is "2 TB", or bytes.

        `members` says person -> role, `terms` are keys, or mappings of key, type, unit, choices.
        """
        held = members or {}
        return requests.ask(self.session, name, team, title, limit, held, terms, purpose)

    def requests(self, state: str | None = None, *, limit: int = PAGE) -> Listing[Request]:
        """Return my requests, for staff everybody's, newest first.

        `state` is asked, approved, refused or withdrawn.
        """
        return requests.listing(self.session, state, limit)

    def request(self, uid: str) -> Request:
        """Return one request, or raise NotFound."""
        return Request(self.session, {"uid": uid}).refresh()

    def teams(self) -> Listing[Team]:
        """Return the teams I belong to, for staff all."""
        return listing(Team, self.session, self.session.get("teams"))

    def team(self, name: str) -> Team:
        """Return one team, or raise NotFound."""
        return Team(self.session, {"name": name}).refresh()

    def belongings(self, person: str) -> Belongings:
        """Return what a person has and made, and what only they reach. Staff, and themselves."""
        return leaving.belongings(self.session, person)

    def hand_over(self, person: str, *, to: str, end: bool = False) -> Handover:
        """Give `to` all that only `person` reads, manages or leads; one step, `undo()` takes back.

        With `end` all memberships of `person` end too. Staff may.
        """
        return leaving.hand_over(self.session, person, to, end)
