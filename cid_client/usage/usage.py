"""What projects and teams hold, how fast they grow, and what the archive would save."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .. import display
from ..wire.session import Session

T = TypeVar("T", "Usage", "TeamUsage")
HEAD = ("name", "used", "limit", "trash", "archived", "growth in 30 days", "days to full", "state")
SUMS = ("used", "limit", "online", "trashed", "archived", "linked", "reserved", "free", "growth")


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes: `used` is `online` and `trashed`, counts against `limit`; `linked` are paid elsewhere.

    `reserved` is promised to what is under way. `state` is ok, warning or full. `growth` is bytes
    in 30 days, None before a week is known; `days_to_full` None for what does not grow. `record` is
    the catalog's answer as it came.
    """

    title: str
    limit: int
    used: int
    online: int
    trashed: int
    archived: int
    linked: int
    reserved: int
    free: int
    state: str
    growth: int | None
    days_to_full: int | None
    disk_drift: int | None
    record: dict[str, Any] = field(repr=False)

    def _repr_html_(self) -> str:
        told = [(word, display.size(self.record[word])) for word in SUMS]
        more = [(word, self.record.get(word)) for word in ("days_to_full", "warning")]
        return display.facts([("state", self.state), *told, *more])


@dataclass(frozen=True, slots=True)
class Usage(Held):
    """What one project holds, by dataset, person and day.

    `saves`: what `nbytes` cost less in the archive, by month and year, at the prices of today; None
    without prices. `datasets`, `people` and `series` (one row a day) are lists of mappings, ready
    for a DataFrame. `leads`: I may read its team's usage too.
    """

    project: str
    team: str
    soft: int | None
    drift: int
    saves: dict[str, Any] | None
    warning: str | None
    leads: bool
    datasets: list[dict[str, Any]]
    people: list[dict[str, Any]]
    series: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TeamUsage(Held):
    """What a team holds: sums of its projects, which are a list of mappings; each record once.

    `linked` comes from other teams' projects. `state` is its projects' worst, `days_to_full` that
    of the project that is full first.
    """

    team: str
    projects: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Overview:
    """The teams whose usage I may read, and my projects in other teams.

    `storage`, for staff: what the last comparison with the disk found.
    """

    teams: list[TeamUsage]
    projects: list[dict[str, Any]]
    storage: dict[str, Any] | None
    record: dict[str, Any] = field(repr=False)

    def _repr_html_(self) -> str:
        teams = [{**team.record, "project": team.team} for team in self.teams]
        return display.table(HEAD, _lines([*teams, *self.projects]))


def of_project(
    session: Session,
    path: str,
    since: dt.date | None,
    until: dt.date | None,
    dataset: str | None = None,
) -> Usage:
    """Return the usage of the project at `path`; the days of its series are both in it."""
    asked = {"from": since and since.isoformat(), "to": until and until.isoformat()}
    return _told(Usage, session.get(f"{path}/usage", **asked, dataset=dataset))


def of_team(session: Session, path: str) -> TeamUsage:
    """Return the usage of the team at `path`."""
    return _told(TeamUsage, session.get(f"{path}/usage"))


def of_all(session: Session) -> Overview:
    """Return the usage of all that I may see."""
    told = session.get("usage")
    teams = [_told(TeamUsage, one) for one in told["teams"]]
    return Overview(teams, told["projects"], told["storage"], told)


def _told(kind: type[T], told: Mapping[str, Any]) -> T:
    known = {key: told[key] for key in kind.__dataclass_fields__ if key in told}
    return kind(**known, record=dict(told))


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterable[Sequence[Any]]:
    for row in rows:
        sizes = ("used", "limit", "trashed", "archived", "growth")
        told = (display.size(row[word]) for word in sizes)
        yield row["project"], *told, row["days_to_full"], row["state"]
