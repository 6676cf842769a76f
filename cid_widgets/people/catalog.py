"""What the widgets about people ask of a catalog."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from ..lib.catalog import Record, Step


class Project(Record, Protocol):
    """A project with its members."""

    def refresh(self) -> Record:
        """Read it again."""

    def add_member(self, person: str, role: str, until: Any = None) -> Step:
        """Give a person a role; `record` is then as it has become."""

    def remove_member(self, person: str) -> Step:
        """End a membership; `record` is then as it has become."""


class Team(Record, Protocol):
    """A team with its members and the names of its projects."""

    def usage(self) -> Any:
        """What its projects hold: `used`, `limit`, `reserved`, `projects`."""


class Request(Record, Protocol):
    """A request for a project."""

    def approve(self, **given: Any) -> object:
        """Make the project."""

    def refuse(self, reason: str) -> object:
        """Say no."""

    def withdraw(self) -> object:
        """Take it back."""


class Handover(Step, Protocol):
    """What was handed over."""

    projects: list[str]
    teams: list[str]
    ended: int
    withdrawn: int
    subscriptions: int
    paused: int


class Catalog(Protocol):
    """The questions. `url` of its session is where it is."""

    session: Any

    def whoami(self) -> Any:
        """My `name`."""

    def projects(self) -> Sequence[Record]:
        """Projects I reach."""

    def project(self, name: str) -> Project:
        """One project."""

    def history(self, project: Any = None, *, about: str, limit: int) -> Iterable[Record]:
        """What was done to one thing, newest first."""

    def teams(self) -> Sequence[Team]:
        """The teams I belong to; all for staff."""

    def team(self, name: str) -> Team:
        """One team."""

    def requests(self, state: str | None = None, *, limit: int) -> Sequence[Request]:
        """Requests, newest first."""

    def request(self, uid: str) -> Request:
        """One request."""

    def request_project(self, name: str, team: str, **asked: Any) -> Request:
        """Ask for a project."""

    def belongings(self, person: str) -> Any:
        """What a person has."""

    def hand_over(self, person: str, *, to: str, end: bool) -> Handover:
        """Give to another what only this person reaches."""
